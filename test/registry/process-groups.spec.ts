import { beforeEach, describe, expect, it } from 'vitest';
import { GroupJoined, GroupLeft } from '../../lib/registry/messages.js';
import { ProcessGroups } from '../../lib/registry/process-groups.js';
import { settle } from '../support/manual-clock.js';
import { type Probe, startProbe } from '../support/probe.js';
import { testWorld, type TestWorld } from '../support/world.js';

describe('process groups', () => {
  let world: TestWorld;
  let groups: ProcessGroups;
  let alice: Probe;
  let bob: Probe;
  let observer: Probe;

  beforeEach(async () => {
    world = testWorld();
    groups = world.groups;
    [alice, bob, observer] = [await startProbe(world), await startProbe(world), await startProbe(world)];
  });

  it('have the members that joined, in order, and exist while they have any', () => {
    expect([groups.members('workers'), groups.groups()]).toEqual([[], []]);
    groups.join(alice.pid, 'workers');
    groups.join(bob.pid, 'workers');
    groups.join(bob.pid, 1);
    expect(groups.members('workers')).toEqual([alice.pid, bob.pid]);
    expect(groups.groups()).toEqual(['workers', 1]);
    expect(groups.members('1')).toEqual([]);
  });

  it('let a process join more than once, and leave as often as it joined', () => {
    groups.join(alice.pid, 'workers');
    groups.join(bob.pid, 'workers');
    groups.join(alice.pid, 'workers');
    expect(groups.members('workers')).toEqual([alice.pid, bob.pid, alice.pid]);
    expect(groups.leave(alice.pid, 'workers')).toBe(true);
    expect(groups.members('workers')).toEqual([bob.pid, alice.pid]);
    expect(groups.leave(alice.pid, 'workers')).toBe(true);
    expect(groups.leave(alice.pid, 'workers')).toBe(false);
    expect(groups.leave(alice.pid, 'nothing')).toBe(false);
    groups.leave(bob.pid, 'workers');
    expect(groups.groups()).toEqual([]);
  });

  it('lose a process when it ends, from all groups and at once', async () => {
    groups.join(alice.pid, 'a');
    groups.join(alice.pid, 'a');
    groups.join(alice.pid, 'b');
    groups.join(bob.pid, 'b');
    let seen: unknown;
    world.events.on('process.exited', () => (seen = [groups.members('a'), groups.members('b'), groups.groups()]));
    await world.stop(alice.pid);
    expect(seen).toEqual([[], [bob.pid], ['b']]);
    expect(groups.leave(alice.pid, 'a')).toBe(false);
  });

  it('take nobody who has ended', async () => {
    await world.stop(alice.pid);
    groups.join(alice.pid, 'a');
    expect(groups.members('a')).toEqual([]);
  });

  it('give a new monitor the present members, and tell it what changes from then on', async () => {
    groups.join(alice.pid, 'a');
    const { ref, members } = groups.monitor(observer.self, 'a');
    expect(members).toEqual([alice.pid]);
    groups.join(bob.pid, 'a');
    groups.join(bob.pid, 'a');
    groups.join(bob.pid, 'b');
    groups.leave(bob.pid, 'a');
    groups.leave(observer.pid, 'a');
    await settle();
    expect(observer.messages).toEqual([
      new GroupJoined(ref, 'a', [bob.pid]),
      new GroupJoined(ref, 'a', [bob.pid]),
      new GroupLeft(ref, 'a', [bob.pid]),
    ]);
  });

  it('tell of an end once per group, with the process as often as it had joined', async () => {
    const { ref } = groups.monitor(observer.self, 'a');
    const other = groups.monitor(observer.self, 'b');
    groups.join(alice.pid, 'a');
    groups.join(alice.pid, 'a');
    groups.join(alice.pid, 'b');
    await settle();
    observer.messages.length = 0;
    world.exit(alice.pid, 'kill');
    await settle();
    expect(observer.messages).toEqual([
      new GroupLeft(ref, 'a', [alice.pid, alice.pid]),
      new GroupLeft(other.ref, 'b', [alice.pid]),
    ]);
  });

  it('tell each monitor on its own, until it is ended', async () => {
    const [first, second] = [groups.monitor(observer.self, 'a'), groups.monitor(observer.self, 'a')];
    expect(groups.demonitor(first.ref)).toBe(true);
    expect(groups.demonitor(first.ref)).toBe(false);
    groups.join(alice.pid, 'a');
    await settle();
    expect(observer.messages).toEqual([new GroupJoined(second.ref, 'a', [alice.pid])]);
  });

  it('forget monitors of a process that ends, and let a process that has ended monitor nothing', async () => {
    const { ref } = groups.monitor(observer.self, 'a');
    await world.stop(observer.pid);
    expect(groups.demonitor(ref)).toBe(false);
    groups.join(alice.pid, 'a');
    const late = groups.monitor(observer.self, 'a');
    expect([late.members, groups.demonitor(late.ref)]).toEqual([[], false]);
  });

  it('of two scopes know nothing of each other', () => {
    const scope = new ProcessGroups(world.runtime);
    scope.join(alice.pid, 'a');
    expect(groups.members('a')).toEqual([]);
    expect(scope.members('a')).toEqual([alice.pid]);
  });
});
