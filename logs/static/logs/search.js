"use strict";

// A page that ran out of its budget continues: the rows of the following pages are added to it until it is
// full, at the end, or stopped.

// With this cookie, the first page of a search answers within a second.
document.cookie = "logs_script=1; SameSite=Lax";

function keepSearching(onward) {
    const all = (selector, root = document) => [...root.querySelectorAll(selector)];
    const rowsOf = (page) => all("#result_list tbody tr", page);
    const countRows = () => all("#result_list tbody th a").length;
    const cost = (name, page) => +all(`[data-cost=${name}]`, page)[0].textContent;
    const format = (number) => Math.round(number).toLocaleString("en");
    const isBack = "back" in onward.dataset;
    const [progress, button] = onward.children;
    let {reached} = progress.dataset;
    let run = 0;
    let pending = null;

    async function load(address) {
        const headers = {"X-Requested-With": "XMLHttpRequest"};
        const response = await fetch(address, {headers}).catch(() => Response.error());
        return [response, new DOMParser().parseFromString(await response.text(), "text/html")];
    }

    // The second time omits the day if it is the same.
    function span(page) {
        const [first, last] = all(".logs-span", page)[0].textContent.split(" – ");
        return [first, /^..:/.test(last) ? `${first.split(" ")[0]} ${last}` : last];
    }

    function add(page) {
        const before = rowsOf(document);
        const rows = rowsOf(page);
        const [above, below] = isBack ? [rows, before] : [before, rows];
        const [earlier, later] = isBack ? [page, document] : [document, page];
        const times = before.length && rows.length && `${span(earlier)[0]} – ${span(later)[1]}`;
        all("#result_list tbody")[0][isBack ? "prepend" : "append"](...rows);
        // A day that goes on has one heading.
        const day = above.findLast((row) => row.dataset.day)?.dataset.day;
        if (day && day === below[0]?.dataset.day) {
            below[0].remove();
        }
        // In the reading direction, the links are those of the last page.
        for (const part of isBack ? ["first", "previous"] : ["next", "last"]) {
            all(`[data-page=${part}]`).forEach((link) => link.replaceWith(all(`[data-page=${part}]`, page)[0]));
        }
        if (times) {
            all(".logs-span")[0].textContent = times;
        } else if (!before.length) {
            all(".logs-span")[0].replaceWith(all(".logs-span", page)[0]);
            all("#logs-empty")[0].replaceWith(...all("#logs-empty", page));
        }
        if (rows.length) {
            document.dispatchEvent(new Event("logs-rows"));
        }
        for (const each of all("[data-cost]")) {
            const name = each.dataset.cost;
            each.textContent = Math.round(10 * (cost(name) + cost(name, page))) / 10;
        }
    }

    function report(text, label) {
        const logs = cost("examined") + cost("searched");
        const rate = (1000 * logs) / Math.max(1, cost("milliseconds"));
        progress.textContent =
            `${text} Rows${reached && " so far"}: ${format(countRows())}. ` +
            `Searched ${format(logs)} logs, ${format(rate)} a second${reached}.`;
        button.textContent = label;
    }

    function pause(text) {
        run += 1;
        report(text, "Keep searching");
    }

    async function search() {
        const current = (run += 1);
        const end = Date.now() + 60_000;
        while (current === run) {
            report("", "Stop");
            // After "Stop" this page is kept, so that nothing is read twice.
            pending ??= load(button.href);
            const [response, page] = await pending;
            if (current !== run) {
                return;
            }
            pending = null;
            if (response.redirected) {
                // To the login, and back to the rows or, without rows, to the place of the search.
                const {pathname, search} = countRows() ? location : button;
                const login = new URL(response.url);
                login.searchParams.set("next", pathname + search);
                location = login;
                return;
            }
            if (!response.ok) {
                pause("The logs cannot be read. Try again in a moment.");
                return;
            }
            add(page);
            const [more] = all("#logs-onward a", page);
            reached = more?.previousElementSibling.dataset.reached ?? "";
            if (!more || countRows() >= onward.dataset.rows) {
                report("");
                button.remove();
                return;
            }
            button.href = more.href;
            if (document.hidden || Date.now() > end) {
                pause(document.hidden ? "Paused in the background." : "Paused after a minute.");
            }
        }
    }

    button.addEventListener("click", (event) => {
        event.preventDefault();
        if (button.textContent === "Stop") {
            pause("Stopped.");
        } else {
            search();
        }
    });
    search();
}

document.querySelectorAll("#logs-onward").forEach(keepSearching);
