/**
 * A store whose commits and reads go wrong as the test's script says, one fault for each, in order.
 *
 * With the script used up it works as the store under it. Nothing is random and nothing takes time: a late commit lands
 * just before a chosen later operation, an operation that never answers is for the deadline of whoever called.
 *
 * @module
 */
import { StoreUnreadableError } from "../../src/events/errors.ts";
import { type Commit, keyBytes, type Store, type StoreEntry, type StoreKey } from "../../src/events/store.ts";

export type CommitFault =
  | "none"
  /** Lands, and rejects. */
  | "lost_answer"
  /** Rejects, and never lands. */
  | "lost_commit"
  /** Lands, and is reported as a conflict, as KV Connect's client does when it repeats a request. */
  | "doubled"
  /** Lands, and never answers. */
  | "silent"
  /** Never lands, and never answers. */
  | "swallowed"
  | LateCommit;

/** Rejects or never answers; sent on just before the `before`-th operation from then on (1 is the next) begins. */
export interface LateCommit {
  readonly late: "rejects" | "never answers";
  readonly before: number;
}

export type ReadFault = "none" | "rejects" | "never answers";

/** A commit as it was asked for, with its size as Deno KV counts it. */
export interface CommitRecord {
  readonly commit: Commit;
  readonly mutations: number;
  readonly bytes: number;
  readonly keyBytes: number;
}

export class FaultyStore implements Store {
  readonly #inner: Store;
  readonly #commitFaults: CommitFault[] = [];
  readonly #readFaults: ReadFault[] = [];
  readonly #listFaults: ReadFault[] = [];
  #late: { commit: Commit; before: number }[] = [];
  #held: PromiseWithResolvers<void> | undefined;
  #underway = 0;
  #mostUnderway = 0;
  /** Every commit that was asked for, in order. */
  readonly commits: CommitRecord[] = [];
  /** Late commits that the store took when they arrived; the others met a changed head. */
  landedLate = 0;

  constructor(inner: Store) {
    this.#inner = inner;
  }

  /** Adds to the script of the commits. */
  onCommits(...faults: CommitFault[]): void {
    this.#commitFaults.push(...faults);
  }

  /** Adds to the script of the reads by `get`. */
  onReads(...faults: ReadFault[]): void {
    this.#readFaults.push(...faults);
  }

  /** Adds to the script of the reads by `list`. */
  onLists(...faults: ReadFault[]): void {
    this.#listFaults.push(...faults);
  }

  /** Ends the script; what was announced as late still arrives. */
  heal(): void {
    this.#commitFaults.length = 0;
    this.#readFaults.length = 0;
    this.#listFaults.length = 0;
  }

  /** Commits wait until the function that this answers is called. */
  hold(): () => void {
    const held = this.#held = Promise.withResolvers<void>();
    return () => {
      this.#held = undefined;
      held.resolve();
    };
  }

  /** Most commits that ever waited for their answer at the same moment; those that never answer count no more. */
  get mostUnderway(): number {
    return this.#mostUnderway;
  }

  async get(key: StoreKey): Promise<{ value: Uint8Array | null; versionstamp: string | null }> {
    const fault = this.#readFaults.shift() ?? "none";
    await this.#deliverLate();
    if (fault === "rejects") throw new Error("the store cannot be reached");
    if (fault === "never answers") return await never();
    return await this.#inner.get(key);
  }

  getMany(keys: readonly StoreKey[]): Promise<(Uint8Array | null)[]> {
    return this.#inner.getMany(keys);
  }

  async list(
    range: Parameters<Store["list"]>[0],
    options: { limit: number; reverse?: boolean },
  ): Promise<StoreEntry[]> {
    const fault = this.#listFaults.shift() ?? "none";
    if (fault === "rejects") throw new StoreUnreadableError(new Error("the store cannot be reached"));
    if (fault === "never answers") return await never();
    return await this.#inner.list(range, options);
  }

  async commit(commit: Commit): Promise<string | null> {
    this.commits.push(measure(commit));
    const fault = this.#commitFaults.shift() ?? "none";
    this.#mostUnderway = Math.max(this.#mostUnderway, ++this.#underway);
    try {
      await this.#deliverLate();
      await this.#held?.promise;
      return await this.#commit(commit, fault);
    } finally {
      this.#underway -= 1;
    }
  }

  close(): void {
    this.#inner.close();
  }

  async #commit(commit: Commit, fault: CommitFault): Promise<string | null> {
    if (typeof fault === "object") {
      this.#late.push({ commit, before: fault.before });
      if (fault.late === "never answers") return this.#neverAnswer();
      throw new Error("the connection was reset");
    }
    if (fault === "swallowed") return this.#neverAnswer();
    if (fault === "lost_commit") throw new Error("the connection was refused");
    const versionstamp = await this.#inner.commit(commit);
    if (fault === "lost_answer") throw new Error("the connection was reset");
    if (fault === "doubled") return null;
    if (fault === "silent") return this.#neverAnswer();
    return versionstamp;
  }

  /** As good as gone for the count: the caller's deadline will end the wait. */
  #neverAnswer(): Promise<never> {
    this.#underway -= 1;
    return never();
  }

  async #deliverLate(): Promise<void> {
    const due = this.#late.filter((late) => late.before <= 1);
    this.#late = this.#late.filter((late) => late.before > 1).map((late) => ({
      ...late,
      before: late.before - 1,
    }));
    for (const { commit } of due) {
      if (await this.#inner.commit(commit) !== null) this.landedLate += 1;
    }
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}

function measure(commit: Commit): CommitRecord {
  let bytes = 0;
  let keys = keyBytes(commit.check.key);
  for (const { key, value } of commit.puts) {
    keys += keyBytes(key);
    bytes += value.length;
  }
  for (const key of commit.deletes) keys += keyBytes(key);
  return {
    commit,
    mutations: commit.puts.length + commit.deletes.length,
    bytes: bytes + keys,
    keyBytes: keys,
  };
}
