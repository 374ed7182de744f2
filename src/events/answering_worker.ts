/**
 * A Web Worker that answers each question with one message, in the order of the questions.
 *
 * @module
 */
export class AnsweringWorker<Question, Answer> {
  readonly #worker: Worker;
  readonly #deed: string;
  /** Who waits, in the order of the answers. */
  readonly #waiting: PromiseWithResolvers<Answer>[] = [];
  #end: Error | undefined;

  /** @param deed What it is asked for, as in "The tree could not be grown". */
  constructor(url: URL, deed: string) {
    this.#deed = deed;
    this.#worker = new Worker(url, { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#waiting.shift()?.resolve(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.message);
    };
  }

  /** Whether it has broken down or was closed, and answers nothing any more. */
  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** Sends what is not answered. */
  tell(message: Question): void {
    this.#worker.postMessage(message);
  }

  /** Rejects when it breaks down or is closed before it answers. */
  ask(question: Question, transfer: Transferable[]): Promise<Answer> {
    if (this.#end) return Promise.reject(this.#end);
    const answer = Promise.withResolvers<Answer>();
    this.#waiting.push(answer);
    this.#worker.postMessage(question, transfer);
    return answer.promise;
  }

  close(): void {
    this.#fail("its thread was ended");
  }

  #fail(why: string): void {
    this.#end ??= new Error(`${this.#deed}: ${why}`);
    this.#worker.terminate();
    for (const { reject } of this.#waiting.splice(0)) reject(this.#end);
  }
}
