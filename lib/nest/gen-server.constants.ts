/** Injects the options of `GenServerModule.forRoot()`. */
export const GENSERVER_MODULE_OPTIONS = Symbol('GENSERVER_MODULE_OPTIONS');
