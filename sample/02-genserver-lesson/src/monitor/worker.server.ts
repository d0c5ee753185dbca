import { GenServer, GenServerBase, HandleCast, ok } from 'nestjs-genserver';

/** The names under which workers run. */
export const WORKERS: readonly string[] = ['worker:a', 'worker:b'];

/** Has nothing to do but to live and die. */
@GenServer()
export class Worker extends GenServerBase<null> {
  override init() {
    return ok(null);
  }

  @HandleCast()
  crash(): never {
    throw new Error('the worker was told to crash');
  }
}
