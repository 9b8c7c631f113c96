import { Memory } from 'synth-memory';
import { mount } from 'svelte';
import Turns from './Turns.svelte';

const memory = await Memory.open({ url: 'opfs:///svelte.db' });
window.memory = memory;
mount(Turns, { target: document.querySelector('main'), props: { memory } });
