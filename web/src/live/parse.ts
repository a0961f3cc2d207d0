/**
 * Parser of `text/event-stream`, incremental: feed it chunks as they come, get whole messages back.
 *
 * Follows the HTML standard's event stream format (fields `event`, `data`, `id`; comments; CR, LF and CRLF), except
 * that it remembers nothing across messages: the caller keeps the last id.
 */
export interface Message {
  event: string;
  data: string;
  id: string | null;
}

/** A line or a message longer than this is a fault of the sender; it stops the connection instead of filling memory. */
const MESSAGE_LIMIT = 1_000_000;

export class StreamParser {
  #rest = '';
  #event = '';
  #data: string[] = [];
  #id: string | null = null;
  #size = 0;

  /** Takes the next piece of text; returns the messages that it completed. */
  push(chunk: string): Message[] {
    const text = this.#rest + chunk;
    const messages: Message[] = [];
    let start = 0;
    while (start < text.length) {
      const end = lineEnd(text, start);
      if (end === null) break;
      const message = this.#line(text.slice(start, end.at));
      if (message) messages.push(message);
      start = end.next;
    }
    this.#rest = text.slice(start);
    if (this.#rest.length + this.#size > MESSAGE_LIMIT) throw new Error('stream message too long');
    return messages;
  }

  #line(line: string): Message | null {
    if (line === '') return this.#dispatch();
    if (line.startsWith(':')) return null;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    this.#size += value.length;
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    return null;
  }

  #dispatch(): Message | null {
    const message =
      this.#data.length === 0 ? null : { event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id };
    this.#event = '';
    this.#data = [];
    this.#id = null;
    this.#size = 0;
    return message;
  }
}

/** Where the line that starts at `start` ends; null if the end has not come yet (a last CR may be half of a CRLF). */
function lineEnd(text: string, start: number): { at: number; next: number } | null {
  const lf = text.indexOf('\n', start);
  const cr = text.indexOf('\r', start);
  if (cr >= 0 && (lf < 0 || cr < lf)) {
    if (cr + 1 === text.length) return null;
    return { at: cr, next: text[cr + 1] === '\n' ? cr + 2 : cr + 1 };
  }
  return lf < 0 ? null : { at: lf, next: lf + 1 };
}
