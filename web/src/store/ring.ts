/**
 * Ring keeps the newest samples of one number as two columns: seconds and values. It grows to `limit` samples, then
 * forgets the oldest. Samples closer together than `spacing` seconds replace each other, so that a fast point does not
 * push its own minutes out.
 */
export class Ring {
  private times = new Float64Array(64);
  private values = new Float64Array(64);
  private start = 0;
  private count = 0;
  readonly limit: number;
  readonly spacing: number;

  constructor(limit = 4096, spacing = 0.2) {
    this.limit = limit;
    this.spacing = spacing;
  }

  get length(): number {
    return this.count;
  }

  /** push adds one sample; NaN is a gap. Time never runs backwards: an earlier time counts as the newest one. */
  push(time: number, value: number): void {
    if (this.count > 0) {
      const newest = this.slot(this.count - 1);
      const before = this.count > 1 ? this.times[this.slot(this.count - 2)]! : -Infinity;
      time = Math.max(time, this.times[newest]!);
      const gap = Number.isNaN(this.values[newest]!) !== Number.isNaN(value);
      if (!gap && time - before < this.spacing) {
        this.times[newest] = time;
        this.values[newest] = value;
        return;
      }
    }
    if (this.count === this.times.length && this.count < this.limit) this.grow();
    if (this.count === this.times.length) {
      this.start = (this.start + 1) % this.times.length;
      this.count--;
    }
    const at = this.slot(this.count++);
    this.times[at] = time;
    this.values[at] = value;
  }

  /** since copies what is not older than `from`, led by the sample that was in force at that moment. */
  since(from: number): [number[], (number | null)[]] {
    const times: number[] = [];
    const values: (number | null)[] = [];
    for (let i = 0; i < this.count; i++) {
      const next = i + 1 < this.count ? this.times[this.slot(i + 1)]! : Infinity;
      if (next < from) continue;
      const value = this.values[this.slot(i)]!;
      times.push(Math.max(this.times[this.slot(i)]!, from));
      values.push(Number.isNaN(value) ? null : value);
    }
    return [times, values];
  }

  private slot(i: number): number {
    return (this.start + i) % this.times.length;
  }

  private grow(): void {
    const size = Math.min(this.times.length * 2, this.limit);
    const times = new Float64Array(size);
    const values = new Float64Array(size);
    for (let i = 0; i < this.count; i++) {
      times[i] = this.times[this.slot(i)]!;
      values[i] = this.values[this.slot(i)]!;
    }
    this.times = times;
    this.values = values;
    this.start = 0;
  }
}
