import { byId, fill, make } from './dom.js';
import { complain, errorParagraph } from './notices.js';

/** The contents of a confirmation. */
export interface Question {
  readonly title: string;
  readonly text: readonly string[];
  readonly confirm: string;
  readonly danger?: boolean;
}

/** A field of a form in a dialog. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly kind: 'line' | 'text' | 'json' | 'number' | 'flag';
  readonly value: string;
  readonly min?: number;
  readonly max?: number;
}

/** Asks before something that cannot be undone; resolves to whether the user agrees. */
export function confirmation({ title, text, confirm, danger = false }: Question): Promise<boolean> {
  const body = text.map((paragraph) => make('p', {}, paragraph));
  return new Promise((resolve) => {
    open(
      title,
      body,
      { label: confirm, danger },
      async () => resolve(true),
      () => resolve(false),
    );
  });
}

/**
 * Shows what is about to be done. The dialog stays open, with the error, until it succeeds; resolves to whether it did.
 */
export function proposal(
  title: string,
  body: readonly HTMLElement[],
  button: { readonly label: string; readonly danger: boolean },
  carryOut: () => Promise<void>,
): Promise<boolean> {
  return new Promise((resolve) => {
    const submit = async () => {
      await carryOut();
      resolve(true);
    };
    open(title, body, button, submit, () => resolve(false));
  });
}

/**
 * Lets the user edit fields. The dialog stays open, with the error, until `save` succeeds; resolves to whether it did.
 */
export function form(
  title: string,
  fields: readonly Field[],
  save: (values: ReadonlyMap<string, string>) => Promise<void>,
): Promise<boolean> {
  const inputs = fields.map((field) => ({ field, input: inputFor(field) }));
  const body = inputs.map(({ field, input }) =>
    make(
      'label',
      { class: field.kind === 'flag' ? 'field field-flag' : 'field' },
      make('span', {}, field.label),
      input,
    ),
  );
  return new Promise((resolve) => {
    const submit = async () => {
      // Only changed fields are written, so that a column that is null stays null.
      const changed = inputs
        .map(({ field, input }) => [field, valueOf(input)] as const)
        .filter(([field, value]) => value !== field.value);
      await save(new Map(changed.map(([field, value]) => [field.name, value])));
      resolve(true);
    };
    open(title, body, { label: 'Save', danger: false }, submit, () => resolve(false));
  });
}

type Input = HTMLInputElement | HTMLTextAreaElement;

function inputFor({ kind, value, min, max, name }: Field): Input {
  if (kind === 'text' || kind === 'json') {
    const area = make('textarea', {
      name,
      rows: kind === 'json' ? 8 : 3,
      class: kind === 'json' && 'code',
      spellcheck: kind === 'json' ? 'false' : null,
    });
    area.value = value;
    return area;
  }
  const type = kind === 'flag' ? 'checkbox' : kind === 'number' ? 'number' : 'text';
  const input = make('input', { type, name, min, max, step: kind === 'number' ? 'any' : null, autocomplete: 'off' });
  if (kind === 'flag') input.checked = value === 'true';
  else input.value = value;
  return input;
}

const valueOf = (input: Input): string =>
  input instanceof HTMLInputElement && input.type === 'checkbox' ? String(input.checked) : input.value;

function open(
  title: string,
  body: readonly HTMLElement[],
  { label, danger }: { label: string; danger: boolean },
  submit: () => Promise<void>,
  cancelled: () => void,
): void {
  const dialog = byId('dialog', HTMLDialogElement);
  const error = make('div', { role: 'alert' });
  const cancel = make('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel');
  const go = make('button', { type: 'submit', class: danger ? 'danger' : 'primary' }, label);
  let state: 'asking' | 'running' | 'done' = 'asking';
  const set = (now: typeof state) => {
    state = now;
    cancel.disabled = go.disabled = now === 'running';
  };
  const isShown = () => dialog.open && element.isConnected;

  const element = make(
    'form',
    {
      onsubmit: (event) => {
        event.preventDefault();
        set('running');
        submit()
          .then(() => {
            const wasShown = isShown();
            set('done');
            if (wasShown) dialog.close();
          })
          .catch((thrown: unknown) => {
            set('asking');
            if (isShown()) {
              fill(error, errorParagraph(thrown));
            } else {
              // A browser lets the user force any dialog to close; the work went on without it, and failed.
              cancelled();
              complain(thrown);
            }
          });
      },
    },
    make('h2', { id: 'dialog-title' }, title),
    ...body,
    error,
    make('div', { class: 'dialog-actions' }, cancel, go),
  );
  fill(dialog, element);
  const keepOpen = (event: Event) => state === 'running' && event.preventDefault();
  dialog.addEventListener('cancel', keepOpen);
  dialog.addEventListener(
    'close',
    () => {
      dialog.removeEventListener('cancel', keepOpen);
      if (state === 'asking') cancelled();
    },
    { once: true },
  );
  dialog.showModal();
  // A careless Enter must not do what cannot be undone.
  if (danger) cancel.focus();
}
