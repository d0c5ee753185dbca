import { median } from './statistics.mjs';

/** The results of a run, and the questions that the tables ask of them. */
export class Results {
  constructor(data) {
    this.data = data;
  }

  /** All values of a metric, one for each repetition that gave one. */
  values(id, metric) {
    return this.data.runs[id]?.[metric] ?? [];
  }

  /** The median over the repetitions, NaN when it was not measured. */
  get(id, metric) {
    return median(this.values(id, metric));
  }

  /** How a median compares with another adapter's. */
  ratio(id, base, metric) {
    return this.get(id, metric) / this.get(base, metric);
  }

  /** The median of what one metric was by another of the same repetition. */
  growth(id, from, to) {
    const begin = this.values(id, from);
    return median(this.values(id, to).map((value, i) => value / begin[i]));
  }

  /** How a route compares with that of the plain service: round by round, since both were loaded in turn in every one. */
  byPlain(framework, variant, metric) {
    return this.get(`http.${framework}`, `${variant}.byPlain.${metric}`);
  }

  /** Whether a scenario took so long that it was given up. */
  wasLate(id, scenario) {
    return this.values(id, `late:${scenario}`).length > 0;
  }

  peer(id) {
    return this.data.peers.find((peer) => peer.id === id);
  }
}
