export interface Item {
  readonly item: string;
  readonly quantity: number;
}
