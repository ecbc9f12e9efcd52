//! The network: a picture in, boxes out.
