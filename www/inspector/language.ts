// How the demo agent understands a sentence: by plain rules, so that the same words always mean the same.

/** A fact to store. */
export interface Fact {
  readonly content: string;
  readonly category: string;
  readonly importance: number;
}

/** What a message is taken to mean. */
export type Meaning =
  | { readonly kind: 'greeting' | 'thanks' | 'help' | 'yes' | 'no' }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'fact'; readonly fact: Fact; readonly hedges: readonly string[] }
  | { readonly kind: 'pronoun'; readonly pronoun: string; readonly rest: string }
  | { readonly kind: 'question'; readonly topic: Topic; readonly words: readonly string[]; readonly aboutUser: boolean }
  | { readonly kind: 'fragment' };

/** The topic of a question; `facts` is everything that has to be searched for. */
export type Topic = 'name' | 'meeting' | 'counts' | 'doubts' | 'talk' | 'facts';

const STOP_WORDS = new Set(
  `a an the of to in on at for with about and or but so is are was were be been being am do does did done have has had
  what who whom whose which when where why how can could should would must may might will shall i i'm me my mine myself
  put find you your yours it its it's this that these those there know tell say said remember recall please any some anything
  something everything we our us not no if from by as into ever never just also too very really`.split(/\s+/),
);
const GENERIC = new Set(['food', 'foods', 'thing', 'things', 'kind', 'kinds', 'sort', 'people', 'stuff']);

const QUESTION =
  /\?\s*$|^(who|what|where|when|why|how|which|whose|do|does|did|is|are|am|can|could|should|would|must|may|have|has|tell me)\b/i;
const HEDGE =
  /\b(maybe|perhaps|possibly|probably|might|i think|i guess|i believe|i suppose|not sure|unsure|kind of|or so)\b/gi;
const PRONOUN = /^(it|that|this|he|she|they|these|those)(?:'s|’s)?\s+(.+)$/i;
const NAME =
  /\b(?:call me|my name is|my name's|i am called|i'm called|name is)\s+(\p{Lu}[\p{L}\p{M}'’-]*(?:\s+\p{Lu}[\p{L}\p{M}'’-]*){0,2})/u;
const BARE_NAME = /\b(?:call me|my name is|my name's|i am called|i'm called)\s+([\p{L}\p{M}'’-]+)\s*[.!]*$/iu;
const I_AM = /^(?:I am|I'm|i am|i'm)\s+(\p{Lu}[\p{L}\p{M}'’-]+)$/u;
const REMEMBER = /^(?:please\s+)?(?:remember|note|don't forget|do not forget|keep in mind)(?:\s+that)?[\s:,]+(.+)$/i;
const VERB =
  /\b(is|are|am|was|were|has|have|had|can|cannot|can't|must|should|will|won't|does|do|did|likes?|loves?|hates?|prefers?|dislikes?|enjoys?|needs?|wants?|lives?|works?|knows?|plays?|speaks?|drinks?|eats?|uses?|owns?|starts?|ends?|opens?|closes?|runs?|costs?|means?|takes?|keeps?|begins?|happens?|moved|went|bought|meets?|met|became|comes?|goes|lies|sits?|stands?|avoids?|studies|study|drives?|collects?|reads?|writes?|watches|watch|wears?|\w{3,}ed)\b/i;

const CATEGORIES: readonly (readonly [RegExp, category: string, importance: number])[] = [
  [/\b(allerg|intoleran|vegan|vegetarian|diabet|asthma|medic|pregnan|coeliac|celiac)/i, 'health', 0.9],
  [/\b(loves?|hates?|adores?|can't stand|cannot stand|favou?rite)\b/i, 'preference', 0.7],
  [/\b(likes?|dislikes?|prefers?|enjoys?|fond of)\b/i, 'preference', 0.6],
  [
    /\b((mon|tues|wednes|thurs|fri|satur|sun)day|meeting|appointment|deadline|tomorrow|tonight|o'clock)/i,
    'schedule',
    0.6,
  ],
  [
    /\b(called|named|lives?|works?|sister|brother|mother|father|wife|husband|friend|birthday)\b|^the user/i,
    'person',
    0.55,
  ],
];

/** What a message means, without its context. */
export function understand(message: string): Meaning {
  const text = message.trim().replaceAll('’', "'").replace(/\s+/g, ' ');
  const bare = text.replace(/[.!]+$/, '');
  if (/^(hi|hello|hey|good (morning|evening|afternoon)|bonjour)\b[^?]{0,20}$/i.test(bare)) return { kind: 'greeting' };
  if (/^(thanks|thank you|cheers|merci)\b/i.test(bare)) return { kind: 'thanks' };
  if (/^(help|what can you do)\b/i.test(bare)) return { kind: 'help' };
  if (/^(yes|yep|yeah|right|correct|exactly|sure|that's right|that is right|please do)$/i.test(bare))
    return { kind: 'yes' };
  if (/^(no|nope|wrong|not really|never mind|no thanks)$/i.test(bare)) return { kind: 'no' };
  if (QUESTION.test(text)) return question(text);
  const name = (NAME.exec(bare) ?? BARE_NAME.exec(bare) ?? I_AM.exec(bare))?.[1];
  if (name) return { kind: 'name', name: capital(name) };
  return statement(bare);
}

function question(text: string): Meaning {
  const words = contentWords(text);
  return { kind: 'question', topic: topicOf(text), words, aboutUser: /\b(i|me|my|mine|i'm)\b/i.test(text) };
}

function topicOf(text: string): Topic {
  if (/\b(what is|what's|know|remember|tell me|say) my name\b|\bwho am i\b/i.test(text)) return 'name';
  if (/\bwhen did (we|i) (first )?me(e)?t\b|\bhow long have (we|you) known\b/i.test(text)) return 'meeting';
  if (/\bhow (much|many)\b.*\b(know|remember|memories|facts)\b/i.test(text)) return 'counts';
  if (/\b(unsure|not sure|uncertain|doubts?)\b/i.test(text)) return 'doubts';
  if (/\b(did|have) we (talk|speak|chat|discuss)|\b(talked|spoke) about\b/i.test(text)) return 'talk';
  return 'facts';
}

function statement(bare: string): Meaning {
  const asked = REMEMBER.exec(bare)?.[1];
  const hedges = [...bare.matchAll(HEDGE)].map(([hedge]) => hedge.toLowerCase());
  const plain = (asked ?? bare)
    .replace(HEDGE, '')
    .replace(/^[\s,]*(that\s+)?/i, '')
    .replace(/\s+/g, ' ')
    .trim();
  const pronoun = PRONOUN.exec(plain);
  if (pronoun && VERB.test(plain))
    return { kind: 'pronoun', pronoun: pronoun[1]!, rest: plain.slice(pronoun[1]!.length) };
  const isWhole = plain.split(' ').length >= 3 && (hedges.length > 0 || VERB.test(plain));
  if (!asked && !isWhole) return { kind: 'fragment' };
  return { kind: 'fact', fact: factOf(plain, Boolean(asked)), hedges };
}

/** A statement as a fact, with its category and importance. */
export function factOf(statement: string, asked = false): Fact {
  const content = capital(thirdPerson(statement.trim().replace(/[.!]+$/, '')));
  const [, category, weight] = CATEGORIES.find(([pattern]) => pattern.test(content)) ?? [undefined, 'fact', 0.5];
  const stressed = /\b(always|never|must|important)\b/i.test(content) ? 0.1 : 0;
  const importance = Math.round(Math.min(1, weight + (asked ? 0.2 : 0) + stressed) * 100) / 100;
  return { content, category, importance };
}

const PRESENT = new Set(
  `like love hate prefer enjoy adore dislike live work need want know play speak drink eat use own study drive collect
  read write watch avoid feel think wear keep take run`.split(/\s+/),
);
const thirdForm = (verb: string): string =>
  /(ch|sh|s|x|o)$/.test(verb) ? `${verb}es` : /[^aeiou]y$/.test(verb) ? `${verb.slice(0, -1)}ies` : `${verb}s`;
const BASE_FORM = new Map([...PRESENT].map((verb) => [thirdForm(verb), verb]));

/** Rewrites what users say about themselves in the third person, as it is stored. */
function thirdPerson(text: string): string {
  const swapped = text
    .replace(/^i\s+(really |absolutely |also |still )*(don't|do not|can't|cannot) (like|stand)\b/i, 'The user dislikes')
    .replace(/^(i'm|i am)\b/i, 'The user is')
    .replace(/^(i've|i have)\b/i, 'The user has')
    .replace(/^(i don't|i do not)\b/i, 'The user does not')
    .replace(/^(i can't|i cannot)\b/i, 'The user cannot')
    .replace(/^i'll\b/i, 'The user will')
    .replace(
      /^i\s+((?:really|absolutely|also|still|always|never|often|usually)\s+)?([a-z]+)/i,
      (_, adverb: string | undefined, verb: string) => {
        const form = PRESENT.has(verb.toLowerCase()) ? thirdForm(verb.toLowerCase()) : verb;
        return `The user ${adverb ?? ''}${form}`;
      },
    )
    .replace(/^my\b/i, "The user's");
  return swapped
    .replace(/\bmy\b/gi, 'their')
    .replace(/\b(me|myself)\b/gi, 'them')
    .replace(/\bI\b/g, 'they');
}

/** Rewrites a stored fact about the user in the second person, as it is said to them. */
export function secondPerson(content: string, userName?: string): string {
  const subject = userName ? `(?:the user|${escape(userName)})` : 'the user';
  const owner = new RegExp(`^${subject}'s\\b`, 'i');
  if (owner.test(content)) return content.replace(owner, 'Your');
  const match = new RegExp(
    `^${subject} ((?:really|absolutely|also|still|always|never|often|usually) )?(\\w+)`,
    'i',
  ).exec(content);
  if (!match) return capital(content);
  const [whole, adverb = '', verb = ''] = match;
  const forms: Record<string, string> = { is: 'are', was: 'were', has: 'have', does: 'do' };
  const rest = content
    .slice(whole.length)
    .replace(/\btheir\b/g, 'your')
    .replace(/\bthem\b/g, 'you');
  return `You ${adverb}${forms[verb] ?? BASE_FORM.get(verb) ?? verb}${rest}`;
}

/** Whether a fact is about the user. */
export function isAboutUser(content: string, userName?: string): boolean {
  return new RegExp(userName ? `\\b(the user|${escape(userName)})(?!\\p{L})` : '\\bthe user\\b', 'iu').test(content);
}

/** The words that carry the meaning of a text; generic words such as `thing` only if there are no others. */
export function contentWords(text: string): string[] {
  const words = (text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*/gu) ?? []).map((word) =>
    word.replace(/['’]s$/, ''),
  );
  const telling = [...new Set(words)].filter((word) => !STOP_WORDS.has(word));
  const particular = telling.filter((word) => !GENERIC.has(word));
  return particular.length > 0 ? particular : telling;
}

/** A rough stem, which is the same for `likes` and `like`; it only has to be consistent. */
export function stem(word: string): string {
  if (word.length < 4) return word;
  return word
    .replace(/ies$/, 'y')
    .replace(/(ing|edly|ed|es|s)$/, '')
    .replace(/e$/, '');
}

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
