"use strict";

// Paper does not unfold: everything is printed unfolded, and folded again afterwards.
let folded = [];

window.addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const details of folded) {
        details.open = true;
    }
});

window.addEventListener("afterprint", () => {
    for (const details of folded) {
        details.open = false;
    }
});
