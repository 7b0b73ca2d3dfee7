//! The graph as a picture, in the notations of others.
