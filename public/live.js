// The tabs of a browser share one stream, since browsers open six connections to a server and no more.
// A shared worker, or a tab's own; the other end is live-streams.ts.
const tabs = new Map();
let source, stream, retry;
let count = 0;

function connect() {
  source?.close();
  clearTimeout(retry);
  stream = null;
  if (!tabs.size) return;
  const query = new URLSearchParams();
  for (const [tab, { view, cursor }] of tabs)
    for (const pair of Object.entries({ tab, view, cursor })) query.append(...pair);
  source = new EventSource(`/live?${query}`);
  source.addEventListener("hello", ({ data }) => tell({ away: !(stream = data) }));
  source.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    const tab = tabs.get(message.tab);
    if (!tab) return;
    tab.cursor = message.cursor;
    tab.port.postMessage(message);
  };
  source.onerror = () => {
    source.close();
    stream = null;
    tell({ away: true });
    retry = setTimeout(connect, 1000);
  };
}

const tell = (message) => tabs.forEach(({ port }) => port.postMessage(message));

// A stream that isn't there any more begins anew, with all tabs.
async function change(body) {
  const answer =
    stream && (await fetch(`/live/${stream}`, { method: "POST", body: new URLSearchParams(body) }));
  if (!answer?.ok) connect();
}

function attach(port) {
  const tab = `${++count}`;
  port.onmessage = ({ data }) => {
    if (data.view) tabs.set(tab, { port, ...data });
    else tabs.delete(tab);
    if (tabs.size) void change({ tab, ...data });
    else connect();
  };
}

if ("onconnect" in self) onconnect = ({ ports }) => attach(ports[0]);
else attach(self);
