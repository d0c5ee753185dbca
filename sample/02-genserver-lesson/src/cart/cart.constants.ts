export const CART_IDLE_MINUTES = Symbol('CART_IDLE_MINUTES');
