"use strict";

// The rows of the listing: open one in place, and filter by any value or copy it. `copy.js` copies.
{
    const table = document.getElementById("result_list");

    // The header of a column has the filters of its values: "-type" can be excluded, "." has no filter.
    function valuesOf(cell) {
        const filters = table.tHead.rows[0].cells[cell.cellIndex].dataset.filters?.split(" ") ?? [];
        return [...cell.querySelectorAll(":scope > :is(a, i, code)")]
            .map((element, index) => ({
                element,
                text: element.textContent,
                filter: element.localName === "code" ? "url" : filters[index],
            }))
            .filter((value) => value.text && value.filter);
    }

    // The addresses that show this value alone, and all but this value.
    function addressesOf({element, text, filter}) {
        const name = filter.replace("-", "");
        const {href} = element;
        // An object has another value than its text. A comma in a value is escaped.
        const value = href ? new URL(href).searchParams.get(name) : text.replaceAll(",", "\\,");
        const [only, not] = [0, 0].map(() => new URLSearchParams(table.dataset.filter));
        const isIncluded = only.has(name);
        only.set(name, value);
        if (isIncluded) {
            not.delete(name, value);
        } else {
            not.append(`-${name}`, value);
        }
        const canExclude = filter.startsWith("-") && (!isIncluded || not.has(name));
        return {only: filter !== "." && (href || `?${only}`), not: canExclude && `?${not}`};
    }

    function make(name, properties, ...children) {
        const element = Object.assign(document.createElement(name), properties);
        element.append(...children);
        return element;
    }

    function itemOf(value) {
        const {only, not} = addressesOf(value);
        const copy = make("button", {type: "button"}, "Copy");
        copy.dataset.copy = value.text;
        return make(
            "p",
            {},
            make("b", {}, make("bdi", {}, value.text)),
            only ? make("a", {href: only}, "Only this") : "",
            not ? make("a", {href: not}, "Not this") : "",
            copy,
        );
    }

    const more = make("button", {type: "button", className: "logs-more-button", ariaLabel: "Filter or copy"}, "⋯");
    const menu = make("div", {id: "logs-values", popover: "auto", role: "group", ariaLabel: "Values"});
    let cells = [];

    // The pointer gets the button in each cell, the keyboard once in each row.
    function showMore({target, type}) {
        const cell = target.closest("#result_list > tbody > tr[id] > *");
        if (!cell) {
            return;
        }
        if (cell.scrollWidth > cell.clientWidth) {
            cell.title = cell.textContent.replace("⋯", "");
        }
        const scope = type === "focusin" ? [...cell.parentElement.cells] : [cell];
        // A narrow screen shows some cells only.
        const last = scope.findLast((each) => each.offsetWidth);
        if (target !== more && last && !menu.matches(":popover-open") && scope.flatMap(valuesOf).length) {
            cells = scope;
            last.append(more);
        }
    }

    function showMenu() {
        menu.replaceChildren(...cells.flatMap(valuesOf).map(itemOf));
        menu.showPopover();
        const place = more.getBoundingClientRect();
        const below = place.bottom + menu.offsetHeight < innerHeight;
        menu.style.left = `${Math.max(4, Math.min(place.left, innerWidth - menu.offsetWidth - 4))}px`;
        menu.style.top = `${below ? place.bottom : Math.max(4, place.top - menu.offsetHeight)}px`;
        menu.querySelector("a, button").focus();
    }

    async function load(log, cell) {
        const response = await fetch(`${log.id.slice(4)}/row/${table.dataset.filter}`).catch(Response.error);
        if (response.redirected) {
            location.reload();  // leads to the login, and back
        } else if (response.ok) {
            cell.innerHTML = await response.text();
            showCopyButtons(cell);
        } else {
            cell.textContent = "This log cannot be read. Reload the page in a moment.";
        }
    }

    function toggle(button) {
        const log = button.closest("tr");
        const next = log.nextElementSibling;
        const last = next?.matches(".excerpt") ? next : log;
        const pane = last.nextElementSibling;
        const isOpen = button.ariaExpanded === "true";
        button.ariaExpanded = String(!isOpen);
        if (pane?.matches(".pane")) {
            pane.hidden = isOpen;
            return;
        }
        const cell = make("td", {colSpan: log.cells.length}, "…");
        last.after(make("tr", {className: "pane"}, cell));
        load(log, cell);
    }

    function prepare() {
        const buttons = table.querySelectorAll("[name=open]");
        buttons.forEach((button) => (button.ariaExpanded ??= "false"));
        document.getElementById("logs-count").textContent = `${buttons.length} row${buttons.length === 1 ? "" : "s"}`;
    }

    if (table) {
        document.body.append(menu);
        table.addEventListener("mouseover", showMore);
        table.addEventListener("focusin", showMore);
        more.addEventListener("click", showMenu);
        table.addEventListener("click", (event) => {
            const button = event.target.closest("[name=open]");
            if (button) {
                event.preventDefault();
                toggle(button);
            }
        });
        addEventListener("scroll", () => menu.hidePopover(), {passive: true});
        // A search adds rows.
        document.addEventListener("logs-rows", prepare);
        prepare();
        if (!location.hash) {
            table.querySelector("[aria-current]")?.scrollIntoView({block: "center"});
        }
    }
}
