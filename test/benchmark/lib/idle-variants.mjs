// Apart from how they are made, so that tables can be drawn where nothing is built.

/** The processes that are weighed, by id: what they are called in tables and charts. */
export const IDLE_VARIANTS = {
  floor: 'the floor, without a name',
  core: 'core: a process',
  coreNamed: 'core: with a name',
  coreSupervised: 'core: under a dynamic supervisor',
  coreSupervisedNamed: 'core: under a dynamic supervisor, with a name',
  nest: 'Nest: on demand, without a key',
  nestKeyed: 'Nest: on demand, keyed',
  nestKeyedDependencies: 'Nest: keyed, with three singleton dependencies',
  nestKeyedCalled: 'Nest: keyed, after its first call',
};
