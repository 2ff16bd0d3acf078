// Deny without a comment is refused by the server; with JavaScript nobody has to go there and back.
// A comment that was half typed is asked about before the page is left.

const form = document.querySelector("#decide");
const comment = form?.querySelector("#comment");

if (comment) {
  const hint = document.querySelector("#comment-hint");
  form.addEventListener("submit", (event) => {
    if (event.submitter?.value !== "deny" || comment.value.trim()) return;
    event.preventDefault();
    comment.setAttribute("aria-invalid", "true");
    hint.textContent = "Say why: the model reads it. Then press Deny once more.";
    hint.className = "wrong";
    comment.focus();
  });
}
