/**
 * The system calls that a sandbox refuses, as a classic BPF program for `bwrap --seccomp`.
 * Needed beside the namespaces for what they leave open: nested user namespaces, kernel keyrings, sockets of families
 * without a network namespace (AF_VSOCK reaches the hypervisor), typing into the terminal (TIOCSTI), ptrace, and
 * set-user-id files (where the host runs as root, a file made inside belongs to root outside).
 * Layout and constants: linux/filter.h, linux/seccomp.h, asm/unistd.h.
 */

const LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_EQUAL = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;

const ALLOW = 0x7fff0000;
const errno = (number: number): number => 0x00050000 | number;
const EPERM = errno(1);
const ENOSYS = errno(38);
const EAFNOSUPPORT = errno(97);

const NUMBER_OFFSET = 0;
const ARCH_OFFSET = 4;
const argOffset = (index: number): number => 16 + index * 8; // low word, little endian

const NEW_NAMESPACE_FLAGS = 0x7e020000; // CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}
const SET_ID_BITS = 0o6000;
const CREATE_FLAGS = 0x400040; // O_CREAT | __O_TMPFILE
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
const SOCKET_FAMILIES = [1, 2, 10, 16]; // AF_UNIX, AF_INET, AF_INET6, AF_NETLINK

interface CallTable {
  readonly auditArch: number;
  /** Answered EPERM. */
  readonly denied: readonly number[];
  readonly clone: number;
  readonly ioctl: number;
  readonly socket: number;
  /** Calls with a mode: number → index of the mode argument, and of the flags argument that says whether it counts. */
  readonly modes: readonly { readonly call: number; readonly mode: number; readonly flags: number | null }[];
}

// Answered ENOSYS, so that libraries fall back to a call that can be checked; the same numbers on every architecture:
// io_uring_setup, io_uring_enter, io_uring_register, clone3, openat2.
const UNSUPPORTED = [425, 426, 427, 435, 437];
// open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, pidfd_getfd, mount_setattr, quotactl_fd, open_tree_attr.
const DENIED_EVERYWHERE = [428, 429, 430, 431, 432, 433, 438, 442, 443, 467];

const TABLES: Readonly<Record<string, CallTable>> = {
  x64: {
    auditArch: 0xc000003e,
    denied: [
      // ptrace, syslog, uselib, _sysctl, adjtimex, acct, settimeofday, mount, umount2, swapon, swapoff, reboot,
      // sethostname, setdomainname, iopl, ioperm, create_module, init_module, delete_module, quotactl, nfsservctl
      101,
      103, 134, 156, 159, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 174, 175, 176, 179, 180,
      // vhangup, modify_ldt, pivot_root, chroot, lookup_dcookie, clock_settime, kexec_load, add_key, request_key, keyctl
      153,
      154, 155, 161, 212, 227, 246, 248, 249, 250,
      // unshare, perf_event_open, fanotify_init, name_to_handle_at, open_by_handle_at, clock_adjtime, setns
      272, 298, 300, 303, 304, 305, 308,
      // process_vm_readv, process_vm_writev, kcmp, finit_module, kexec_file_load, bpf, userfaultfd
      310, 311, 312, 313, 320, 321, 323,
    ],
    clone: 56,
    ioctl: 16,
    socket: 41,
    modes: [
      { call: 2, mode: 2, flags: 1 }, // open
      { call: 257, mode: 3, flags: 2 }, // openat
      { call: 85, mode: 1, flags: null }, // creat
      { call: 90, mode: 1, flags: null }, // chmod
      { call: 91, mode: 1, flags: null }, // fchmod
      { call: 268, mode: 2, flags: null }, // fchmodat
      { call: 452, mode: 2, flags: null }, // fchmodat2
      { call: 133, mode: 1, flags: null }, // mknod
      { call: 259, mode: 2, flags: null }, // mknodat
    ],
  },
  arm64: {
    auditArch: 0xc00000b7,
    denied: [
      // The same calls by their generic numbers.
      117, 116, 89, 170, 171, 40, 39, 224, 225, 142, 161, 162, 105, 106, 60, 42, 58, 41, 51, 18, 112, 104,
      217, 218, 219, 97, 241, 262, 264, 265, 266, 268, 270, 271, 272, 273, 294, 280, 282,
    ],
    clone: 220,
    ioctl: 29,
    socket: 198,
    modes: [
      { call: 56, mode: 3, flags: 2 },
      { call: 52, mode: 1, flags: null },
      { call: 53, mode: 2, flags: null },
      { call: 452, mode: 2, flags: null },
      { call: 33, mode: 2, flags: null },
    ],
  },
};

interface Instruction {
  readonly code: number;
  readonly ifTrue: number;
  readonly ifFalse: number;
  readonly value: number;
}

const load = (offset: number): Instruction => ({ code: LOAD, ifTrue: 0, ifFalse: 0, value: offset });
const answer = (value: number): Instruction => ({ code: RETURN, ifTrue: 0, ifFalse: 0, value });
/** Goes on with the next instruction where the test holds, else skips `skip` instructions. */
const unless = (code: number, value: number, skip: number): Instruction => ({
  code,
  ifTrue: 0,
  ifFalse: skip,
  value,
});

/** Runs `body` for one call; `body` must end in an answer. */
const onCall = (call: number, body: readonly Instruction[]): Instruction[] => [
  unless(JUMP_EQUAL, call, body.length),
  ...body,
];

function checkMode(mode: number, flags: number | null): Instruction[] {
  const onlyWhenCreating =
    flags === null ? [] : [load(argOffset(flags)), unless(JUMP_ANY_BIT, CREATE_FLAGS, 3)];
  return [
    ...onlyWhenCreating,
    load(argOffset(mode)),
    unless(JUMP_ANY_BIT, SET_ID_BITS, 1),
    answer(EPERM),
    answer(ALLOW),
  ];
}

/**
 * The filter for one CPU architecture (`process.arch`), ready for `bwrap --seccomp`; null where we have no table, and then
 * there is no sandbox. Pure. Other architectures' calls (32-bit, x32) are refused as a whole.
 */
export function seccompFilter(arch: string): Uint8Array | null {
  const table = TABLES[arch];
  if (table === undefined) return null;
  const families = SOCKET_FAMILIES.flatMap((family) => [unless(JUMP_EQUAL, family, 1), answer(ALLOW)]);
  const program: Instruction[] = [
    load(ARCH_OFFSET),
    { code: JUMP_EQUAL, ifTrue: 1, ifFalse: 0, value: table.auditArch },
    answer(EPERM),
    load(NUMBER_OFFSET),
    ...(arch === "x64" ? [unless(JUMP_GREATER_EQUAL, 0x40000000, 1), answer(EPERM)] : []),
    ...[...table.denied, ...DENIED_EVERYWHERE].flatMap((call) => onCall(call, [answer(EPERM)])),
    ...UNSUPPORTED.flatMap((call) => onCall(call, [answer(ENOSYS)])),
    ...onCall(table.clone, [
      load(argOffset(0)),
      unless(JUMP_ANY_BIT, NEW_NAMESPACE_FLAGS, 1),
      answer(EPERM),
      answer(ALLOW),
    ]),
    ...onCall(table.ioctl, [
      load(argOffset(1)),
      unless(JUMP_EQUAL, TIOCSTI, 1),
      answer(EPERM),
      unless(JUMP_EQUAL, TIOCLINUX, 1),
      answer(EPERM),
      answer(ALLOW),
    ]),
    ...onCall(table.socket, [load(argOffset(0)), ...families, answer(EAFNOSUPPORT)]),
    ...table.modes.flatMap(({ call, mode, flags }) => onCall(call, checkMode(mode, flags))),
    answer(ALLOW),
  ];
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach((instruction, index) => {
    bytes.writeUInt16LE(instruction.code, index * 8);
    bytes.writeUInt8(instruction.ifTrue, index * 8 + 2);
    bytes.writeUInt8(instruction.ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(instruction.value >>> 0, index * 8 + 4);
  });
  return bytes;
}
