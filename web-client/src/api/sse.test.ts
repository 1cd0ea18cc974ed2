import { expect, test, vi } from 'vitest';
import { EventParser, readEvents, type ServerSentEvent } from './sse.ts';

const TEXT = ':\n\nevent: next\ndata: {"a":\ndata: 1}\n\nevent: complete\ndata: \n\n:\n\ndata:x\n\n';
const EVENTS: ServerSentEvent[] = [
  { event: 'next', data: '{"a":\n1}' },
  { event: 'complete', data: '' },
  { event: 'message', data: 'x' },
];

test.each([1, 2, 3, 7, 1000])('events are put together from pieces of %i characters', (size) => {
  const events: ServerSentEvent[] = [];
  const parser = new EventParser((event) => events.push(event));
  for (let start = 0; start < TEXT.length; start += size) parser.push(TEXT.slice(start, start + size));
  expect(events).toEqual(EVENTS);
});

test('a stream is read to its end, and whatever comes is a sign of life', async () => {
  const heard = vi.fn<() => void>();
  const events: ServerSentEvent[] = [];
  const bytes = new TextEncoder().encode('data: ü\n\n');
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(':\n\n'));
      // In the middle of the letter.
      controller.enqueue(bytes.slice(0, 7));
      controller.enqueue(bytes.slice(7));
      controller.close();
    },
  });
  await readEvents(stream, heard, (event) => events.push(event));
  expect(heard).toHaveBeenCalledTimes(3);
  expect(events).toEqual([{ event: 'message', data: 'ü' }]);
});
