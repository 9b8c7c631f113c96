// How the agent replies to each kind of message, and what it stores.
import type { Memory } from '../package/index.js';
import { USER_NAME, type Draft, type Situation } from './draft.js';
import { relativeTime } from './format.js';
import { capital, factOf, secondPerson, type Fact, type Meaning } from './language.js';
import { recallByMeaning, recallFacts, recallTurns, shareWord, type Source } from './recall.js';
import { answerOfItself } from './self-knowledge.js';

const MOST_MEMORIES = 3;
const SURE = 0.5;

/** Decides on an answer and stores new facts. The caller stores the exchange itself. */
export async function reply(memory: Memory, meaning: Meaning, situation: Situation): Promise<Draft> {
  const { userName, doubt } = situation;
  switch (meaning.kind) {
    case 'greeting':
      return { text: userName ? `Hello, ${userName}.` : 'Hello. What shall I call you?' };
    case 'thanks':
      return { text: userName ? `You are welcome, ${userName}.` : 'You are welcome.' };
    case 'help':
      return {
        text: 'Tell me your name, what you like, or any other fact, and ask me about it later. If I am unsure, I make a note of it and ask you.',
      };
    case 'name':
      return learnName(memory, meaning.name, situation);
    case 'yes':
      if (!doubt?.proposed || doubt.about === 'pronoun') return { text: 'Good. Tell me more, or ask me something.' };
      return learn(memory, factOf(doubt.proposed), situation, 'the user confirmed it');
    case 'no':
      return doubt ? { text: 'All right, I will leave it.', settled: 'the user said no' } : { text: 'All right.' };
    case 'question':
      return answer(memory, meaning, situation);
    case 'fact':
      return meaning.hedges.length > 0
        ? hedged(meaning.fact, meaning.hedges, userName)
        : learn(memory, meaning.fact, situation);
    case 'pronoun':
      return learnOfPronoun(memory, meaning.pronoun, meaning.rest, situation);
    case 'fragment':
      return learnFragment(memory, situation);
  }
}

async function learnName(memory: Memory, name: string, { userName, doubt }: Situation): Promise<Draft> {
  await memory.longTerm.set(USER_NAME, name);
  const kept: Source[] = [{ table: 'longTerm', key: USER_NAME, text: name }];
  const settling = doubt?.about === 'name' ? { settled: `the user is ${name}` } : {};
  if (userName === name) return { text: `I know, ${name}.`, used: kept, ...settling };
  const text = userName
    ? `From now on you are ${name}; I called you ${userName}.`
    : `Nice to meet you, ${name}. I will know you when you come back.`;
  return { text, kept, episode: ['fact_learned', 0.5], ...settling };
}

/** Stores a fact once. It settles the open doubt if the two share a word. */
async function learn(memory: Memory, fact: Fact, { doubt, userName }: Situation, settled?: string): Promise<Draft> {
  const settles =
    settled ?? (doubt && shareWord(doubt.message, fact.content) ? `the user said: ${fact.content}` : undefined);
  const settling = settles === undefined ? {} : { settled: settles };
  const said = within(secondPerson(fact.content, userName));
  const known = await knownFact(memory, fact.content);
  if (known) return { text: `I know: ${said}.`, used: [known], ...settling };
  const key = await memory.semantic.remember({ ...fact, metadata: { source: 'conversation' } });
  return {
    text: `${settles === undefined ? 'Noted' : 'Thank you, now I know'}: ${said}.`,
    kept: [{ table: 'semantic', key, text: fact.content }],
    episode: ['fact_learned', 0.4],
    ...settling,
  };
}

/** `She lives in Lyon` can be stored only if the agent has just asked about someone. */
async function learnOfPronoun(memory: Memory, pronoun: string, rest: string, situation: Situation): Promise<Draft> {
  const { doubt } = situation;
  const subject = doubt?.about === 'question' ? subjectOf(doubt.message) : undefined;
  if (subject) return learn(memory, factOf(`${subject}${rest}`), situation, `the user said: ${situation.message}`);
  return {
    text: `I am not sure what “${pronoun.toLowerCase()}” stands for. What or who do you mean?`,
    doubt: {
      about: 'pronoun',
      intent: 'statement',
      confidence: 0.3,
      signals: { pronoun: pronoun.toLowerCase() },
      proposed: rest,
    },
  };
}

/** A few words mean something only as the answer to the agent's question. */
async function learnFragment(memory: Memory, situation: Situation): Promise<Draft> {
  const { doubt, message } = situation;
  const words = message.replace(/[.!]+$/, '');
  if (doubt?.about === 'name') return learnName(memory, capital(words), situation);
  if (doubt?.about === 'pronoun')
    return learn(memory, factOf(`${words}${doubt.proposed ?? ''}`), situation, `the user meant: ${words}`);
  if (doubt?.about === 'question') {
    const content = `${doubt.message} ${capital(words)}`;
    return learn(memory, { ...factOf(content), content }, situation, `the user answered: ${words}`);
  }
  return {
    text: `I am not sure what to do with “${words}”. Shall I remember it as it is?`,
    doubt: {
      about: 'fragment',
      intent: 'unclear',
      confidence: 0.2,
      signals: { words: words.split(/\s+/).length, verb: false },
      proposed: words,
    },
  };
}

async function answer(memory: Memory, asked: Meaning & { kind: 'question' }, situation: Situation): Promise<Draft> {
  const { userName, message } = situation;
  if (asked.topic !== 'facts') return answerOfItself(memory, asked.topic, userName);
  const [byWords, turns] = await Promise.all([
    recallFacts(memory, { ...asked, userName }),
    recallTurns(memory, asked.words),
  ]);
  const hasWords = byWords.length > 0 || turns.length > 0;
  const facts = hasWords ? byWords : await recallByMeaning(memory, message, { ...asked, userName });
  const best = facts[0];
  const sure = best !== undefined && best.coverage >= SURE;
  const said = sure ? undefined : turns[0];
  const signals = { words: asked.words.length, facts: facts.length, covered: round(best?.coverage ?? 0) };
  if (!best && !said) {
    return {
      text: 'I do not know that yet. Will you tell me?',
      doubt: { about: 'question', intent: 'question', confidence: 0.1, signals },
      episode: ['question_unanswered', -0.4],
    };
  }
  if (said) {
    const when = said.timestamp ? `${capital(relativeTime(said.timestamp))} you` : 'You once';
    return { text: `${when} said: “${said.source.text}”`, used: [said.source], episode: ['question_answered', 0.3] };
  }
  const shown = facts.slice(0, MOST_MEMORIES);
  const told = shown.map(({ source }) => `${secondPerson(source.text, userName)}.`).join(' ');
  const more = facts.length > shown.length ? ` And ${facts.length - shown.length} more that I remember.` : '';
  const used = shown.map(({ source }) => source);
  if (sure) return { text: `${told}${more}`, used, episode: ['question_answered', 0.5] };
  return {
    text: `I am not sure, but this may be relevant: ${told} Is there more to know?`,
    used,
    doubt: { about: 'question', intent: 'question', confidence: round(best?.coverage ?? 0), signals },
    episode: ['question_unanswered', -0.1],
  };
}

async function knownFact(memory: Memory, content: string): Promise<Source | undefined> {
  // A search accepts 100 words at most; the first 50 find every fact that begins the same.
  const search = content.split(/\s+/).slice(0, 50).join(' ');
  const { rows } = await memory.semantic.list({ search, limit: 20 });
  const same = rows.find((row) => row.content?.toLowerCase() === content.toLowerCase());
  return same && { table: 'semantic', key: same.id, text: same.content ?? '' };
}

/** Asks about a statement that was made without certainty before it is stored. */
function hedged(fact: Fact, hedges: readonly string[], userName: string | undefined): Draft {
  const confidence = Math.max(0.2, 0.5 - 0.1 * (hedges.length - 1));
  return {
    text: `You do not sound sure. Shall I remember this as certain: ${within(secondPerson(fact.content, userName))}?`,
    doubt: {
      about: 'statement',
      intent: `remember: ${fact.content}`,
      confidence,
      signals: { hedges },
      proposed: fact.content,
    },
  };
}

/** Whom a question is about, if it names them: its last capitalised word, apart from the first word. */
function subjectOf(question: string): string | undefined {
  return question
    .split(/\s+/)
    .slice(1)
    .map((word) => word.replace(/[^\p{L}\p{M}'’-]/gu, '').replace(/['’]s$/, ''))
    .filter((word) => /^\p{Lu}/u.test(word) && !/^I(['’]|$)/.test(word))
    .at(-1);
}

/** A sentence as it continues after a colon. */
const within = (sentence: string): string => sentence.replace(/^(You|Your|The|My|A|An) /, (word) => word.toLowerCase());

const round = (value: number): number => Math.round(value * 100) / 100;
