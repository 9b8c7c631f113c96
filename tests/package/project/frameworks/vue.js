import { Memory } from 'synth-memory';
import { createApp, h, onScopeDispose, shallowRef } from 'vue';

const memory = await Memory.open({ url: 'opfs:///vue.db' });
window.memory = memory;

/** A live query as a ref. */
function useLive(read) {
  const snapshot = shallowRef();
  onScopeDispose(memory.live(read).subscribe((next) => (snapshot.value = next)));
  return snapshot;
}

const Turns = {
  setup() {
    const turns = useLive((memory) => memory.turns.list({ direction: 'asc' }));
    return () =>
      h(
        'ol',
        turns.value.value?.rows.map(({ userInput }) => h('li', userInput)),
      );
  },
};
createApp(Turns).mount('main');
