export interface Item {
  readonly item: string;
  /** In whole cents, so that sums are exact. */
  readonly price: number;
}
