// Why a backend of class B may be relied on: its device is tried before it runs anything, on single operations and then on each kernel that a plan brings, against
// class A. What fails runs on class A, so that the bits are right either way; the certificate says what does.

import { children, topological } from "../../kernels/expr.ts";
import type { Kernel } from "../../kernels/kinds.ts";
import type { Backend, Buffer, Certificate, Executable, Run, Trial } from "../compile/contract.ts";
import type { Plan } from "../compile/plan.ts";
import { numericsId } from "../core/numerics.ts";
import { Audit } from "./audit.ts";
import { primitives } from "./primitives.ts";
import { type Subject, subjectOf, tryKernel } from "./trial.ts";

/** Kernels that are tried at one time: each has its data in memory, on both sides. */
const atOnce = 4;

/** Tries what a device computes, each thing once, and keeps what was found. */
export class Certifier {
  readonly #device: Backend;
  readonly #against: Backend;
  readonly #name: string;
  readonly #primitives: { readonly needs: ReadonlySet<string>; readonly trial: Trial }[] = [];
  readonly #kernels = new Map<string, Trial>();
  readonly #faults = new WeakMap<Kernel, string | undefined>();

  private constructor(device: Backend, against: Backend, name: string) {
    this.#device = device;
    this.#against = against;
    this.#name = name;
  }

  /** Tries the primitives. `device` isn't certified itself; `against` is of class A; `name` is the device's. */
  static async open(device: Backend, against: Backend, name: string): Promise<Certifier> {
    const certifier = new Certifier(device, against, name);
    // All at once: most of the time goes into compiling them.
    const trials = primitives().map(async (subject) => ({
      needs: partsOf(subject.kernel),
      trial: await tryKernel(subject, device, against),
    }));
    certifier.#primitives.push(...(await Promise.all(trials)));
    return certifier;
  }

  /** As it is by now. */
  get certificate(): Omit<Certificate, "audit"> {
    return {
      device: this.#name,
      numericsId,
      primitives: this.#primitives.map(({ trial }) => trial),
      kernels: [...this.#kernels.values()],
    };
  }

  /** Tries a plan's kernels, but for those that a primitive's fault rules out. */
  async try(plan: Plan): Promise<void> {
    const keys = new Map<Kernel, string>();
    const subjects = new Map<string, Subject>();
    for (const kernel of plan.kernels) {
      if (this.#faults.has(kernel)) continue;
      const part = this.#failedPart(kernel);
      if (part !== undefined) {
        this.#faults.set(kernel, part);
        continue;
      }
      const subject = subjectOf(kernel, plan);
      keys.set(kernel, subject.key);
      if (!this.#kernels.has(subject.key)) subjects.set(subject.key, subject);
    }
    for (const [key, trial] of await this.#tryAll(subjects)) this.#kernels.set(key, trial);
    for (const [kernel, key] of keys) {
      const { name, fault } = this.#kernels.get(key)!;
      this.#faults.set(kernel, fault && `${name}: ${fault}`);
    }
  }

  /** Tries several at a time: while the device runs one, the data of another are made and compared. */
  async #tryAll(subjects: ReadonlyMap<string, Subject>): Promise<ReadonlyMap<string, Trial>> {
    const found = new Map<string, Trial | undefined>([...subjects.keys()].map((key) => [key, undefined]));
    const rest = subjects.entries();
    const tryRest = async () => {
      for (const [key, subject] of rest) found.set(key, await tryKernel(subject, this.#device, this.#against));
    };
    await Promise.all(Array.from({ length: atOnce }, tryRest));
    return found as ReadonlyMap<string, Trial>;
  }

  /** Why a kernel of a plan that was tried can't be left to the device: a primitive failed all of whose parts it has, or it did itself; undefined where it can. */
  faultOf(kernel: Kernel): string | undefined {
    return this.#faults.get(kernel);
  }

  #failedPart(kernel: Kernel): string | undefined {
    const parts = partsOf(kernel);
    return this.#primitives.find(
      ({ needs, trial }) => trial.fault !== undefined && [...needs].every((part) => parts.has(part)),
    )?.trial.name;
  }
}

const joins: Readonly<Record<string, string>> = { sum: "add", prod: "mul" };

/** What a kernel is made of: operations by their names and operands' types, and how it folds. */
function partsOf(kernel: Kernel): ReadonlySet<string> {
  if (kernel.kind !== "loop") return new Set();
  const { body, fold, dtype } = kernel;
  const operations = topological(body).flatMap((expr) => {
    const [operand] = children(expr);
    return operand ? [`${"op" in expr ? expr.op : expr.kind} ${operand.type}`] : [];
  });
  return new Set([...operations, ...(fold ? [fold.combine, `${joins[fold.combine] ?? fold.combine} ${dtype}`] : [])]);
}

/** Which share of the kernels that a device runs is audited, unless said otherwise. */
const defaultShare = 0.001;

/** `backend`, whose plans are loaded by `load`, with what `certifier` found, and with an audit of a share of the kernels that it runs. `against` is what else it disposes of. */
export function relying(
  backend: Backend,
  certifier: Certifier,
  against: Backend,
  load: (plan: Plan, audit: Audit) => Promise<Executable>,
  share = defaultShare,
): Backend {
  const audit = new Audit(backend.name, share);
  return {
    name: backend.name,
    class: "B",
    threads: backend.threads,
    target: backend.target,
    get certificate() {
      return { ...certifier.certificate, audit: audit.record };
    },
    allocate: (dtype, size) => backend.allocate(dtype, size),
    write: (buffer, data) => backend.write(buffer, data),
    read: (buffer) => backend.read(buffer),
    free: (buffer) => backend.free(buffer),
    load: (plan) => load(plan, audit),
    async dispose() {
      await backend.dispose();
      await against.dispose();
    },
  };
}

/** A backend whose plans run on its device where every kernel of them was found right there, and else on `against`, of class A, as a whole. `name`: the device's. */
export async function certified(device: Backend, against: Backend, name: string, share?: number): Promise<Backend> {
  const certifier = await Certifier.open(device, against, name);
  const load = async (plan: Plan, audit: Audit) => {
    // Compiles all of its kernels at once, which are then tried one by one. Where a device refuses one, its trial says so.
    const loaded = await (async () => device.load(plan))().catch(() => undefined);
    await certifier.try(plan);
    const faults = plan.kernels.map((kernel) => certifier.faultOf(kernel));
    if (faults.every((fault) => fault === undefined)) return audit.over(loaded ?? (await device.load(plan)));
    loaded?.dispose();
    return new Elsewhere(await against.load(plan), device, against, faults);
  };
  return relying(device, certifier, against, load, share);
}

/** A plan that runs on another backend than the one its buffers are on. */
class Elsewhere implements Executable {
  readonly plan: Plan;
  readonly scratchBytes: number;
  readonly sources: Executable["sources"];
  readonly #executable: Executable;
  readonly #here: Backend;
  readonly #there: Backend;

  /** `faults`: the device's, by kernel. */
  constructor(executable: Executable, here: Backend, there: Backend, faults: readonly (string | undefined)[]) {
    this.plan = executable.plan;
    this.scratchBytes = executable.scratchBytes;
    const where = there.name;
    this.sources = executable.plan.kernels.map((_, kernel) => ({ kernel, where, fault: faults[kernel] }));
    this.#executable = executable;
    this.#here = here;
    this.#there = there;
  }

  async run({ inputs, outputs, seed, base }: Run): Promise<void> {
    const [here, there] = [this.#here, this.#there];
    const copies = new Map<Buffer, Buffer>();
    for (const buffer of [...inputs, ...outputs])
      if (!copies.has(buffer)) copies.set(buffer, there.allocate(buffer.dtype, buffer.size));
    try {
      for (const buffer of new Set(inputs)) there.write(copies.get(buffer)!, await here.read(buffer));
      const bound = (buffers: readonly Buffer[]) => buffers.map((buffer) => copies.get(buffer)!);
      await this.#executable.run({ inputs: bound(inputs), outputs: bound(outputs), seed, base });
      for (const buffer of new Set(outputs)) here.write(buffer, await there.read(copies.get(buffer)!));
    } finally {
      for (const copy of copies.values()) there.free(copy);
    }
  }

  dispose(): void {
    this.#executable.dispose();
  }
}
