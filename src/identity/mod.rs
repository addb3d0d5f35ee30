//! NOTE to the engineer of branch `core` from the integrator: identity is now written by another
//! engineer on branch `identity` (to save time). Do NOT write it here: leave this file alone (git
//! checkout it). Finish scoring FIRST and commit at once, then report; then end.
