"use strict";

// Rows of other pages, which a search or live adds to the list.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// The response, and its page if it was received whole.
async function loadPage(address) {
    try {
        const response = await fetch(address, {headers: {"X-Requested-With": "XMLHttpRequest"}});
        return [response, new DOMParser().parseFromString(await response.text(), "text/html")];
    } catch {
        return [Response.error()];
    }
}

// To the login, and back to an address.
function signIn(response, address) {
    const login = new URL(response.url);
    login.searchParams.set("next", address);
    location = login;
}

// The second time omits the day if it is the same.
function spanOf(page) {
    const [first, last] = all(".logs-span", page)[0].textContent.split(" – ");
    return [first, /^..:/.test(last) ? `${first.split(" ")[0]} ${last}` : last];
}

// Adds the rows of a page above a row, or at the end. Rows that the list has stay. Returns the new rows.
function addRows(page, row, isAbove) {
    const [body] = all("#result_list tbody");
    const rows = all("#result_list tbody tr", page);
    const [earlier, later] = isAbove ? [page, document] : [document, page];
    if (!body.rows.length) {
        all(".logs-span")[0].replaceWith(all(".logs-span", page)[0]);
        all("#logs-empty")[0].replaceWith(...all("#logs-empty", page));
    } else if (rows.length) {
        all(".logs-span")[0].textContent = `${spanOf(earlier)[0]} – ${spanOf(later)[1]}`;
    }
    // Rows of a later day go above the heading of the day.
    const day = rows.findLast((each) => each.dataset.day)?.dataset.day;
    const heading = row?.previousElementSibling?.dataset.day;
    let next = heading && heading !== day ? row.previousElementSibling : row;
    const added = [];
    for (const each of rows.toReversed()) {
        const log = each.matches(".excerpt") ? each.previousElementSibling : each;
        const selector = each.dataset.day ? `[data-day="${each.dataset.day}"]` : `[id="${log.id}"]`;
        const [present] = all(selector, body);
        if (!present) {
            body.insertBefore(each, next);
            added.push(...(each.id ? [each] : []));
        }
        next = present && each !== log ? next : (present ?? each);
    }
    return added;
}
