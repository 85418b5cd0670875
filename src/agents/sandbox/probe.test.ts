import { describe, expect, it } from "vitest";
import { systemClock, systemProcessRunner } from "../../base/index.ts";
import { diagnose, installCommand, type HostFacts } from "./diagnosis.ts";
import { readHostLayout } from "./layout.ts";
import { probeSandbox } from "./probe.ts";

const facts: HostFacts = {
  uid: 1000,
  appArmorRestricts: null,
  unprivilegedAllowed: null,
  maxUserNamespaces: 100,
  container: false,
  distribution: "debian",
};

describe("probeSandbox", () => {
  it("finds the sandbox where it works", async () => {
    const layout = await readHostLayout(process.env["PATH"] ?? "");
    const probe = await probeSandbox({ layout, clock: systemClock, runner: systemProcessRunner });
    expect(probe).toMatchObject({ available: true });
  });

  it("names the missing program and the command that installs it", async () => {
    const layout = { ...(await readHostLayout("")), bwrapFile: "/does/not/exist/bwrap" };
    const probe = await probeSandbox({ layout, clock: systemClock, runner: systemProcessRunner });
    expect(probe).toMatchObject({ available: false, reason: "bubblewrap (bwrap) is not installed." });
    expect(probe).toHaveProperty("fix", expect.stringContaining("bubblewrap"));
  });

  it("counts a sandbox that does not hold as none", async () => {
    const layout = { ...(await readHostLayout("")), bwrapFile: "/usr/bin/true" };
    const probe = await probeSandbox({ layout, clock: systemClock, runner: systemProcessRunner });
    expect(probe).toMatchObject({ available: false });
  });
});

describe("diagnose", () => {
  it.each([
    [
      "AppArmor",
      { appArmorRestricts: true },
      "bwrap: setting up uid map: Permission denied",
      "apparmor_parser",
    ],
    [
      "container",
      { container: true },
      "bwrap: Creating new namespace failed: Operation not permitted",
      "--security-opt",
    ],
    ["switched off", { maxUserNamespaces: 0 }, "bwrap: No space left on device", "user.max_user_namespaces"],
    [
      "normal users",
      { unprivilegedAllowed: false },
      "bwrap: No permissions",
      "kernel.unprivileged_userns_clone=1",
    ],
    ["too old", {}, "bwrap: Unknown option --size", "0.8"],
    ["cannot", {}, "", "--unsafe-no-sandbox"],
  ])("explains %s", (reason, difference, stderr, fix) => {
    const diagnosis = diagnose(stderr, { ...facts, ...difference });
    expect(diagnosis.reason).toContain(reason);
    expect(diagnosis.fix).toContain(fix);
  });

  it.each([
    ["debian", "sudo apt-get install -y bubblewrap"],
    ["ubuntu debian", "sudo apt-get install -y bubblewrap"],
    ["fedora", "sudo dnf install -y bubblewrap"],
    ["arch", "sudo pacman -S --noconfirm bubblewrap"],
    ["alpine", "sudo apk add bubblewrap"],
  ])("knows how %s installs it", (distribution, command) => {
    expect(installCommand(distribution, "bubblewrap", 1000)).toBe(command);
  });
});
