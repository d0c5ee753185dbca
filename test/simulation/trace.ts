/** What happened in a run, as one number; and in words where somebody wants to read it. */
export class Trace {
  /** The lines, when they were asked for. */
  readonly lines: string[] | undefined;
  private high = 0x811c9dc5;
  private low = 0x1b873593;

  constructor(keepsLines: boolean) {
    this.lines = keepsLines ? [] : undefined;
  }

  note(what: string, a: number | string = '', b: number | string = '', c: number | string = ''): void {
    this.text(what);
    this.add(a);
    this.add(b);
    this.add(c);
    this.lines?.push([what, a, b, c].filter((part) => part !== '').join(' '));
  }

  /** Equal for equal runs, and for hardly any others. */
  get hash(): string {
    return ((this.high >>> 0) * 2 ** 20 + ((this.low >>> 0) & 0xfffff)).toString(16);
  }

  private add(part: number | string): void {
    if (typeof part === 'string') this.text(part);
    else this.number(Math.round(part * 1024));
  }

  private text(text: string): void {
    for (let at = 0; at < text.length; at++) this.number(text.charCodeAt(at));
  }

  private number(value: number): void {
    this.high = Math.imul(this.high ^ value, 0x01000193);
    this.low = Math.imul(this.low + value, 0x5bd1e995) ^ (this.low >>> 13);
  }
}
