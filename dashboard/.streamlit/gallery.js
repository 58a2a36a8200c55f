// Draws the tiles of a gallery: one link or button each. A click tells Python the id of its image.
const element = (tag, properties, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children); // strings become text, whatever is in them
  return made;
};

export default function ({ data, parentElement, setTriggerValue }) {
  const open = (id) => (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // the browser opens another tab
    event.preventDefault();
    setTriggerValue("opened", id);
  };
  const tile = ({ id, href, picture, alt, title, score, name, note }) => {
    const shown = picture
      ? element("img", { src: picture, alt })
      : element("span", { className: "missing" }, data.missing);
    const words = score || name ? [element("span", {}, element("b", {}, score), " ", element("small", {}, name))] : [];
    const kind = href ? ["a", { href }] : ["button", { type: "button" }];
    const parts = [shown, ...words, ...(note ? [element("span", {}, note)] : [])];
    return element(kind[0], { ...kind[1], title, onclick: open(id) }, ...parts);
  };
  parentElement.querySelector(".gallery").replaceChildren(...data.tiles.map(tile));
}
