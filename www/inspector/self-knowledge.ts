import type { Memory } from '../package/index.js';
import { USER_NAME, type Draft, type NewDoubt } from './draft.js';
import { absoluteTime, plural, relativeTime } from './format.js';
import type { Topic } from './language.js';
import type { Source } from './recall.js';

const MOST = 3;

/** Answers questions about the agent itself: whom it knows, since when, how much, and what it is unsure of. */
export async function answerOfItself(
  memory: Memory,
  topic: Exclude<Topic, 'facts'>,
  userName: string | undefined,
): Promise<Draft> {
  if (topic === 'name') {
    if (userName)
      return {
        text: `You are ${userName}.`,
        used: [{ table: 'longTerm', key: USER_NAME, text: userName }],
        episode: ['question_answered', 0.5],
      };
    const doubt: NewDoubt = { about: 'name', intent: 'question', confidence: 0, signals: { key: USER_NAME } };
    return { text: 'You have not told me. What shall I call you?', doubt, episode: ['question_unanswered', -0.4] };
  }
  if (topic === 'meeting') {
    const {
      rows: [met],
    } = await memory.episodes.list({ eventTypes: ['first_meeting'], orderBy: 'timestamp', direction: 'asc', limit: 1 });
    if (!met?.timestamp) return { text: 'I have no memory of that.', episode: ['question_unanswered', -0.2] };
    const text = `We met ${relativeTime(met.timestamp)}, on ${absoluteTime(met.timestamp)}.`;
    return {
      text,
      used: [{ table: 'episodes', key: met.id, text: 'first_meeting' }],
      episode: ['question_answered', 0.5],
    };
  }
  if (topic === 'doubts') {
    const { rows } = await memory.uncertainty.list({ resolved: false, limit: MOST });
    const used = rows.map(({ id, userMessage }): Source => ({
      table: 'uncertainty',
      key: id,
      text: userMessage ?? '',
    }));
    const text =
      used.length > 0
        ? `I am still unsure about: ${used.map(({ text }) => `“${text}”`).join(', ')}.`
        : 'Nothing is open at the moment.';
    return { text, used };
  }
  if (topic === 'talk') {
    const turns = await memory.turns.recent(MOST);
    const used = turns.map(({ id, userInput }): Source => ({ table: 'turns', key: id, text: userInput ?? '' }));
    return {
      text:
        used.length > 0
          ? `You last said: ${used.map(({ text }) => `“${text}”`).join(', ')}.`
          : 'We have not talked yet.',
      used,
    };
  }
  const [facts, turns, episodes] = await Promise.all([
    memory.semantic.count(),
    memory.turns.count(),
    memory.episodes.count(),
  ]);
  return {
    text: `I remember ${plural(facts, 'fact')}, ${plural(turns, 'exchange')} and ${plural(episodes, 'episode')}.`,
  };
}
