// What a view reads of the server, and reads again when news tell of it. Pure: tests/web/units.mjs.
import {asApiError, type ApiError} from '../api/client';

export type Known<S> = S & {loading: boolean; error: ApiError | null};  // error: of the last reading
// What is other than before once it is read.
export type Read<S> = (by: Readings<S>) => Promise<Partial<S>>;

// One reading at a time, and again where something changed meanwhile: to begin anew each time would never end
// where news come faster than answers. After `end` nothing begins, and what still comes is dropped.
export class Readings<S> {
  state: Known<S>;
  isOver = false;
  private isBusy = false;
  private isStale = false;  // something changed since the reading began
  private waiting: number | undefined;
  private failed: Read<S>;

  // `read`: all that is shown. `pause`: milliseconds in which news are collected.
  constructor(empty: S, private readonly read: Read<S>, private readonly changed: () => void,
    private readonly pause: number, private readonly clock: Pick<Window, 'setTimeout' | 'clearTimeout'> = window) {
    this.state = {...empty, loading: true, error: null};
    this.failed = read;
  }

  load = () => void this.begin(this.read);
  // Not while anything is read: who wants more asks again.
  more = (read: Read<S>) => void this.begin(read);
  again = () => void this.begin(this.failed);
  news = () => {
    this.waiting ??= this.clock.setTimeout(() => {
      this.waiting = undefined;
      this.load();
    }, this.pause);
  };
  change = (part: Partial<S>) => this.set({...this.state, ...part});
  end = () => {
    this.isOver = true;
    this.clock.clearTimeout(this.waiting);
  };

  private set(state: Known<S>) {
    if (this.isOver) return;
    this.state = state;
    this.changed();
  }
  private async begin(read: Read<S>) {
    if (this.isOver) return;
    if (this.isBusy) {
      this.isStale ||= read === this.read;
      return;
    }
    this.isBusy = true;
    this.set({...this.state, loading: true});
    try {
      const part = await read(this);
      this.failed = this.read;
      this.set({...this.state, ...part, loading: false, error: null});
    } catch (problem) {
      this.failed = read;
      this.set({...this.state, loading: false, error: asApiError(problem)});
    }
    this.isBusy = false;
    if (!this.isStale) return;
    this.isStale = false;
    this.load();
  }
}
