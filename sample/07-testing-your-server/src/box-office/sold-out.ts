export class SoldOut extends Error {
  constructor() {
    super('There is no ticket left');
  }
}
