"use strict";

// New logs appear above the rows. They move neither the row in use nor the focus.
{
    const [button] = all("#logs-live");
    const [link, state, notice, table] = all("a.logs-live, #logs-live-state, #logs-live-new, #result_list");
    const here = location.pathname + location.search;
    const PAUSE = 4000;
    let next = table?.dataset.poll;
    let [isOn, run, unseen, more] = [false, 0, 0];

    const place = (each) => each.getBoundingClientRect();

    function showUnseen(number) {
        unseen = number;
        notice.textContent = `${number} new`;
        notice.hidden = !number;
    }

    // The row in use, or the first in view: it must not move.
    function rowInUse() {
        const [body] = table.tBodies;
        const end = place(table.tHead).bottom;
        const [used] = all("tr:is(:hover, :focus-within)", body);
        const isTop = place(body).top > end - 3 && getSelection().isCollapsed;
        return used ?? (isTop ? null : all("tr", body).find((row) => place(row).bottom > end + 1));
    }

    function add(page) {
        const oldest = all("tr[id] time", page).at(-1)?.dateTime;
        // Rows of an earlier part are older.
        const end = oldest + (more ? "~" : "");
        const older = all("tr[id]", table).find((each) => all("time", each)[0].dateTime < end);
        const row = rowInUse();
        const top = row && place(row).top;
        const added = oldest ? addRows(page, older, true) : [];
        if (row) {
            scrollBy({top: place(row).top - top, behavior: "instant"});
        }
        added.forEach((each) => (all("[name=open]", each)[0].ariaExpanded = "false"));
        const {length} = added;
        state.textContent = length ? `${length} new log${length === 1 ? "" : "s"}` : "";
        showUnseen(row ? unseen + length : 0);
        return length;
    }

    async function follow() {
        const current = run;
        const end = Date.now() + 6e5;
        let [start, delay, number] = ["&start=1", 0, 0];
        while (Date.now() < end) {
            await new Promise((done) => setTimeout(done, delay));
            const [response, page] = current === run ? await loadPage((more ?? next) + start) : [];
            if (current !== run) {
                return;
            }
            if (response.redirected) {
                signIn(response, `${here}#live`);
                return;
            }
            if (!response.ok) {
                delay = Math.min(2 * (delay || PAUSE), 6e4);
                state.textContent = "The logs cannot be read. Trying again.";
            } else if (all(":popover-open").length) {
                delay = PAUSE;
            } else {
                start = "";
                number = add(page) + (delay ? 0 : number);
                ({more, next = next} = all("table", page)[0].dataset);
                delay = more ? 0 : PAUSE;
            }
            if (number > 1e3 || table.rows.length > 2e4) {
                turn(false, "Too many new logs. Reload the page.");
            }
        }
        turn(false, "Stopped after ten minutes.");
    }

    function turn(on, text) {
        run++;
        isOn = on;
        button.ariaPressed = String(on);
        state.textContent = text || (on && document.hidden ? "Paused in the background." : "");
        history.replaceState(history.state, "", on ? "#live" : here);
        if (on && !document.hidden) {
            follow();
        }
    }

    if (next) {
        [button.hidden, link.hidden] = [false, true];
        button.addEventListener("click", () => turn(!isOn, isOn && "Paused."));
        document.addEventListener("visibilitychange", () => isOn && turn(true));
        notice.addEventListener("click", () => {
            table.scrollIntoView();
            table.closest("[tabindex]").focus({preventScroll: true});
        });
        addEventListener("scroll", () => place(table.tBodies[0]).top > 0 && showUnseen(0));
        if (location.hash === "#live") {
            turn(true);
        }
    }
}
