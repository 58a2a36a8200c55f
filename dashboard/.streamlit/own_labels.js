// Keeps a person's own labels in the memory of the tab, which lasts when the page is loaded again.
const KEY = "headlight.own_labels";

export default function ({ data, setTriggerValue }) {
  try {
    if (data.labels !== null) {
      sessionStorage.setItem(KEY, data.labels);
      return;
    }
    const kept = sessionStorage.getItem(KEY); // a new session of the server has none yet
    if (kept) setTriggerValue("restored", kept);
  } catch {
    // A browser without such memory: the file is left.
  }
}
