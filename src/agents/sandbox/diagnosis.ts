import { readFile } from "node:fs/promises";

/** What about this machine decides whether namespaces can be made. Null: the kernel has no such switch. */
export interface HostFacts {
  readonly uid: number;
  /** `kernel.apparmor_restrict_unprivileged_userns` (Ubuntu 23.10 and later). */
  readonly appArmorRestricts: boolean | null;
  /** `kernel.unprivileged_userns_clone` (Debian's and Arch's hardened kernels). */
  readonly unprivilegedAllowed: boolean | null;
  /** `user.max_user_namespaces`. */
  readonly maxUserNamespaces: number | null;
  readonly container: boolean;
  /** `ID` and `ID_LIKE` of os-release. */
  readonly distribution: string;
}

export interface Diagnosis {
  /** One sentence for people. */
  readonly reason: string;
  /** A command to paste, or what to change. */
  readonly fix: string;
}

const read = (file: string): Promise<string | null> => readFile(file, "utf8").catch(() => null);

/** Reads the facts from `/proc`, `/etc/os-release` and the marks that container engines leave. */
export async function readHostFacts(): Promise<HostFacts> {
  const number = async (file: string): Promise<number | null> => {
    const content = await read(file);
    return content === null ? null : Number(content);
  };
  const [appArmor, unprivileged, maxUserNamespaces, docker, podman, pidOne, release] = await Promise.all([
    number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
    number("/proc/sys/kernel/unprivileged_userns_clone"),
    number("/proc/sys/user/max_user_namespaces"),
    read("/.dockerenv"),
    read("/run/.containerenv"),
    read("/proc/1/cgroup"),
    read("/etc/os-release"),
  ]);
  return {
    uid: process.getuid?.() ?? 1000,
    appArmorRestricts: appArmor === null ? null : appArmor !== 0,
    unprivilegedAllowed: unprivileged === null ? null : unprivileged !== 0,
    maxUserNamespaces,
    container: docker !== null || podman !== null || /docker|kubepods|containerd|libpod/.test(pidOne ?? ""),
    distribution: [...(release ?? "").matchAll(/^ID(?:_LIKE)?=(.*)$/gm)].map((match) => match[1]).join(" "),
  };
}

/** The command that installs a program on this distribution. Pure. */
export function installCommand(distribution: string, program: string, uid: number): string {
  const sudo = uid === 0 ? "" : "sudo ";
  if (/alpine/.test(distribution)) return `${sudo}apk add ${program}`;
  if (/arch|manjaro/.test(distribution)) return `${sudo}pacman -S --noconfirm ${program}`;
  if (/fedora|rhel|centos/.test(distribution)) return `${sudo}dnf install -y ${program}`;
  if (/suse/.test(distribution)) return `${sudo}zypper install -y ${program}`;
  return `${sudo}apt-get install -y ${program}`;
}

const APPARMOR_FIX =
  `printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bwrap /usr/bin/bwrap flags=(unconfined) {\\n  userns,\\n}\\n' ` +
  `| sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap`;
const CONTAINER_FIX =
  "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined …";

/** Why bubblewrap failed here and what to do about it, from its own words and the machine's switches. Pure. */
export function diagnose(stderr: string, facts: HostFacts): Diagnosis {
  const said = stderr.trim().split("\n").at(-1) ?? "";
  const because = said === "" ? "" : ` (${said})`;
  if (/Unknown option/.test(stderr))
    return {
      reason: `This bubblewrap is too old${because}.`,
      fix: "Install bubblewrap 0.8 or newer, from your distribution's backports or https://github.com/containers/bubblewrap.",
    };
  if (facts.container)
    return {
      reason: `The container this runs in forbids namespaces${because}.`,
      fix: `Start the container with these options: ${CONTAINER_FIX}`,
    };
  if (facts.uid !== 0 && facts.maxUserNamespaces === 0)
    return {
      reason: `User namespaces are switched off on this machine${because}.`,
      fix: "sudo sysctl -w user.max_user_namespaces=15000",
    };
  if (facts.uid !== 0 && facts.unprivilegedAllowed === false)
    return {
      reason: `The kernel forbids user namespaces to normal users${because}.`,
      fix: "sudo sysctl -w kernel.unprivileged_userns_clone=1",
    };
  if (facts.uid !== 0 && facts.appArmorRestricts === true)
    return {
      reason: `AppArmor forbids user namespaces to bubblewrap${because}.`,
      fix: APPARMOR_FIX,
    };
  return {
    reason: `bubblewrap cannot make a sandbox here${because}.`,
    fix: "Run on a machine that allows user namespaces, or accept the risk with --unsafe-no-sandbox.",
  };
}
