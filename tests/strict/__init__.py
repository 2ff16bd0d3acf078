"""A server that takes only what the vendors' strict modes take, and the proofs that rest on it."""
