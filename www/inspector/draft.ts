import type { JsonInput } from '../package/index.js';
import type { Source } from './recall.js';

/** A doubt that the agent asked the user about; it is in the metadata of the last turn. */
export interface Doubt {
  readonly id: number;
  readonly about: 'question' | 'name' | 'statement' | 'pronoun' | 'fragment';
  readonly message: string;
  readonly proposed: string | undefined;
}

export interface NewDoubt {
  readonly about: Doubt['about'];
  readonly intent: string;
  readonly confidence: number;
  readonly signals: JsonInput;
  readonly proposed?: string;
}

export interface Draft {
  readonly text: string;
  readonly used?: readonly Source[];
  readonly kept?: readonly Source[];
  readonly doubt?: NewDoubt;
  /** How the open doubt was settled. */
  readonly settled?: string;
  readonly episode?: readonly [eventType: string, valence: number];
}

export interface Situation {
  readonly message: string;
  readonly userName: string | undefined;
  readonly doubt: Doubt | undefined;
}

export const USER_NAME = 'user.name';
