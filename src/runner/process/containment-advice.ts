import { readFileSync } from "node:fs";

/** What the kernel lets ordinary users do; null where it doesn't know the setting. */
export interface NamespaceLimits {
  /** Debian's older kernels: 0 forbids. */
  unprivilegedClone: number | null;
  /** 0 forbids. */
  namespacesMax: number | null;
  /** Ubuntu since 23.10: 1 forbids it to programs without an AppArmor profile that allows it. */
  restrictedByAppArmor: number | null;
}

export interface ContainmentFacts extends NamespaceLimits {
  platform: string;
  sandbox: "auto" | "off";
  hasBwrap: boolean;
}

/** What to do so that bwrap contains runs, where it doesn't: one sentence with the command; null when nobody knows. */
export function adviseContainment(facts: ContainmentFacts): string | null {
  if (facts.sandbox === "off") return "Take HEADWAY_SANDBOX=off away and start Headway again.";
  if (facts.platform !== "linux") return "Run Headway on Linux, in a virtual machine for instance.";
  if (!facts.hasBwrap)
    return "Install bubblewrap and start Headway again: `apt-get install bubblewrap` on Debian and Ubuntu, `dnf install bubblewrap` on Fedora, `apk add bubblewrap` on Alpine.";
  if (facts.unprivilegedClone === 0) return allow("kernel.unprivileged_userns_clone=1");
  if (facts.namespacesMax === 0) return allow("user.max_user_namespaces=15000");
  if (facts.restrictedByAppArmor === 1) return allow("kernel.apparmor_restrict_unprivileged_userns=0");
  return "bwrap is installed and isn't allowed to make namespaces; in a container, allow them: `docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined …`.";
}

function allow(setting: string): string {
  return `Allow ordinary users to make namespaces and start Headway again: \`sysctl -w ${setting}\`, and the same in /etc/sysctl.d/ for the next boot.`;
}

export function readNamespaceLimits(): NamespaceLimits {
  return {
    unprivilegedClone: readNumber("/proc/sys/kernel/unprivileged_userns_clone"),
    namespacesMax: readNumber("/proc/sys/user/max_user_namespaces"),
    restrictedByAppArmor: readNumber("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
  };
}

function readNumber(path: string): number | null {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch (error) {
    if (["ENOENT", "EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw error;
  }
}
