"use strict";

// How fresh the logs are: fetched after the rows. The age grows while the page is open.
{
    const place = document.querySelector("[data-freshness]");

    async function load() {
        const headers = {"X-Requested-With": "XMLHttpRequest"};
        const response = await fetch(place.querySelector("a").href, {headers}).catch(Response.error);
        const isKnown = response.ok && !response.redirected;
        place.innerHTML = isKnown ? await response.text() : "";
        const time = place.querySelector("time");
        const start = Date.now() - 1000 * time?.dataset.seconds;
        const show = () => {
            // Live adds newer rows.
            const row = document.querySelector("#result_list tbody time");
            const newer = Math.max(0, Date.parse(row?.dateTime) - Date.parse(time.dateTime) || 0);
            const seconds = Math.max(0, Math.floor((Date.now() - start - newer) / 1000));
            time.textContent = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
        };
        if (time?.dataset.seconds < 3600) {
            setInterval(show, 1000);
        }
    }

    if (place) {
        load();
    }
}
