import { access, constants, lstat, readlink, stat } from "node:fs/promises";
import path from "node:path";

/** What of the host's file system a sandbox needs to run programs: found once per process, the same for every sandbox. */
export interface HostLayout {
  readonly arch: string;
  /** bubblewrap's program; null where it is not installed. */
  readonly bwrapFile: string | null;
  /** Top-level links into `/usr`: path → target, e.g. `/lib64` → `usr/lib64`. */
  readonly symlinks: Readonly<Record<string, string>>;
  /** Real directories that are shown read-only, e.g. `/usr`, and `/lib` where the distribution is not usr-merged. */
  readonly directories: readonly string[];
  /** Existing entries of the `/etc` allow-list. */
  readonly etc: readonly string[];
  /** Existing files of `/proc` that only describe the host's kernel. */
  readonly maskedProcFiles: readonly string[];
}

/** Nothing of these holds a secret: no shadow, no private TLS keys, no machine-id, no settings that may hold a token. */
export const ETC_ALLOWED = [
  "/etc/alternatives",
  "/etc/crypto-policies",
  "/etc/fonts",
  "/etc/java-11-openjdk",
  "/etc/java-17-openjdk",
  "/etc/java-21-openjdk",
  "/etc/java-25-openjdk",
  "/etc/ld.so.cache",
  "/etc/ld.so.conf",
  "/etc/ld.so.conf.d",
  "/etc/localtime",
  "/etc/magic",
  "/etc/mime.types",
  "/etc/os-release",
  "/etc/perl",
  "/etc/pki/ca-trust/extracted",
  "/etc/pki/tls/certs",
  "/etc/protocols",
  "/etc/python3",
  "/etc/services",
  "/etc/ssl/cert.pem",
  "/etc/ssl/certs",
  "/etc/ssl/openssl.cnf",
  "/etc/timezone",
  "/etc/ca-certificates",
] as const;

const PROC_MASKED = [
  "/proc/config.gz",
  "/proc/kallsyms",
  "/proc/kcore",
  "/proc/key-users",
  "/proc/keys",
  "/proc/kmsg",
  "/proc/kpagecount",
  "/proc/kpageflags",
  "/proc/modules",
  "/proc/mtrr",
  "/proc/sched_debug",
  "/proc/slabinfo",
  "/proc/timer_list",
  "/proc/vmallocinfo",
] as const;

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

async function findProgram(name: string, searchPath: string): Promise<string | null> {
  for (const directory of [...searchPath.split(":"), "/usr/bin", "/usr/local/bin", "/bin"]) {
    if (!path.isAbsolute(directory)) continue;
    const file = path.join(directory, name);
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return null;
}

/** Looks at the host's top-level directories, and for bwrap in `searchPath` (as in `PATH`). Reads only. */
export async function readHostLayout(searchPath: string): Promise<HostLayout> {
  const symlinks: Record<string, string> = {};
  const directories = ["/usr"];
  for (const directory of ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store"]) {
    const found = await lstat(directory).catch(() => null);
    if (found?.isSymbolicLink() === true) symlinks[directory] = await readlink(directory);
    else if (found?.isDirectory() === true) directories.push(directory);
  }
  const existing = async (files: readonly string[]): Promise<string[]> => {
    const found = await Promise.all(files.map(exists));
    return files.filter((_, index) => found[index]);
  };
  return {
    arch: process.arch,
    bwrapFile: await findProgram("bwrap", searchPath),
    symlinks,
    directories,
    etc: await existing(ETC_ALLOWED),
    maskedProcFiles: await existing(PROC_MASKED),
  };
}
