// Copyright (C) The Tailgate authors
//
// A list of links to type into, opened by Ctrl+K. Every page works without it.

"use strict";

const palette = (() => {
  const dialog = document.createElement("dialog");
  const input = document.createElement("input");
  const list = document.createElement("ul");
  const note = document.createElement("p");

  let links = [];
  let chosen = 0;
  let asked = 0;

  dialog.setAttribute("aria-label", "Jump to a link");
  // of a search, Esc would empty it first
  input.type = "text";
  input.autocomplete = "off";
  input.placeholder = "Jump to a link";
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-controls", "palette-list");
  input.setAttribute("aria-label", "Jump to a link");
  list.id = "palette-list";
  list.setAttribute("role", "listbox");
  note.setAttribute("role", "status");
  dialog.append(input, list, note);
  document.body.append(dialog);

  function show() {
    list.replaceChildren(...links.map((link, i) => {
      const item = document.createElement("li");
      const url = document.createElement("small");

      item.id = `palette-${i}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(i === chosen));
      item.textContent = link.name;
      url.textContent = link.url;
      item.append(" ", url);
      item.addEventListener("click", () => follow(i));
      return item;
    }));

    input.setAttribute("aria-expanded", String(links.length > 0));
    note.textContent = links.length > 0 ? "" : "Nothing was found.";

    if (links.length > 0) {
      input.setAttribute("aria-activedescendant", `palette-${chosen}`);

    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  function follow(i) {
    if (links[i] !== undefined) {
      location.href = `/${encodeURIComponent(links[i].name)}`;
    }
  }

  async function ask() {
    const turn = ++asked;
    const query = encodeURIComponent(input.value);
    const answer = await fetch(`/api/v1/links?limit=8&q=${query}`);

    // a slow answer must not replace that of what was typed since
    if (answer.ok && turn === asked) {
      links = (await answer.json()).links;
      chosen = 0;
      show();
    }
  }

  input.addEventListener("input", () => { ask().catch(() => {}); });

  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];

    if (step !== undefined && links.length > 0) {
      chosen = (chosen + step + links.length) % links.length;
      show();
      event.preventDefault();

    } else if (event.key === "Enter") {
      follow(chosen);
      event.preventDefault();
    }
  });

  return {
    open() {
      if (dialog.open) {
        return;
      }

      input.value = "";
      dialog.showModal();
      ask().catch(() => {});
    },
  };
})();

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, dialog") !== null;

  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    palette.open();
    event.preventDefault();

  } else if (event.key === "/" && !typing) {
    document.getElementById("q").focus();
    event.preventDefault();
  }
});

// Of a form that was refused, what has to be put right first.

document.querySelector("[aria-invalid=true]")?.focus();

// What is suggested while something is typed into the search of a page.

(() => {
  const input = document.getElementById("q");
  const options = document.createElement("datalist");

  let asked = 0;

  options.id = "suggestions";
  document.body.append(options);
  input.setAttribute("list", options.id);

  input.addEventListener("input", async () => {
    const turn = ++asked;
    const query = encodeURIComponent(input.value);
    const answer = await fetch(`/api/v1/suggest?q=${query}`).catch(() => null);

    if (answer === null || !answer.ok || turn !== asked) {
      return;
    }

    const [, names] = await answer.json();

    options.replaceChildren(...names.map((name) => {
      const option = document.createElement("option");

      option.value = name;
      return option;
    }));
  });
})();
