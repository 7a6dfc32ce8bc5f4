//! Frames: a length of four bytes, a header, a body. Requests are taken apart here and put together.
//!
//! Whether a frame's length is acceptable is for whoever reads it from the socket, before there is a buffer.

use bytes::Bytes;

use crate::api::{self, ApiKey, UnknownApiKey};
use crate::messages::{RequestHeader, ResponseHeader};
use crate::wire::{DecodeError, EncodeError, EncodeProblem, Encoded, Message, Reader, Request, Str, Writer};

/// A request whose header is read and whose version is served; `body` stands before the body.
#[derive(Clone, Debug)]
pub struct RequestFrame {
    pub key: ApiKey,
    pub version: i16,
    pub header: RequestHeader,
    pub body: Reader,
}

/// Why a request cannot be taken apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("there is no API with key {0}")]
    UnknownApi(i16),
    /// For [`ApiKey::ApiVersions`] this is to be answered, with a body of version 0.
    #[error("{key} is not served in version {version}")]
    UnsupportedVersion { key: ApiKey, version: i16, correlation_id: i32 },
    #[error(transparent)]
    Malformed(#[from] DecodeError),
}

impl From<UnknownApiKey> for FrameError {
    fn from(UnknownApiKey(key): UnknownApiKey) -> FrameError {
        FrameError::UnknownApi(key)
    }
}

impl RequestFrame {
    /// Reads the header of `frame`, which begins behind the length. Nothing past the correlation id is looked at
    /// before key and version are known to be served.
    pub fn parse(frame: Bytes) -> Result<RequestFrame, FrameError> {
        let mut opening = Reader::new(frame.clone());
        let key = ApiKey::try_from(i16::from_be_bytes(opening.array()?))?;
        let version = i16::from_be_bytes(opening.array()?);
        let correlation_id = i32::from_be_bytes(opening.array()?);
        if !key.serves(version) {
            return Err(FrameError::UnsupportedVersion { key, version, correlation_id });
        }
        let mut body = Reader::new(frame);
        let header = RequestHeader::decode(&mut body, api::request_header_version(key, version))?;
        Ok(RequestFrame { key, version, header, body })
    }

    /// Reads the body as a `R`, which is the request of this key.
    pub fn decode<R: Request>(&mut self) -> Result<R, DecodeError> {
        debug_assert_eq!(R::KEY, self.key, "a frame is decoded as the request that its key names");
        R::decode(&mut self.body, self.version)
    }
}

/// Puts a response together, from the length on. `body` is of the version that was asked for.
pub fn encode_response<M: Message>(
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    body: &M,
) -> Result<Encoded, EncodeError> {
    let header = ResponseHeader { correlation_id };
    frame(&header, api::response_header_version(key, version), body, version)
}

/// Puts a request together, from the length on.
pub fn encode_request<R: Request>(
    version: i16,
    correlation_id: i32,
    client_id: Option<Str>,
    body: &R,
) -> Result<Encoded, EncodeError> {
    let request_api_key = R::KEY as i16;
    let header = RequestHeader { request_api_key, request_api_version: version, correlation_id, client_id };
    frame(&header, api::request_header_version(R::KEY, version), body, version)
}

/// Reads the response to an `R` of `version`; `frame` begins behind the length.
pub fn decode_response<R: Request>(
    frame: Bytes,
    version: i16,
) -> Result<(ResponseHeader, R::Response), DecodeError> {
    let mut reader = Reader::new(frame);
    let header = ResponseHeader::decode(&mut reader, api::response_header_version(R::KEY, version))?;
    Ok((header, R::Response::decode(&mut reader, version)?))
}

/// The correlation id that a response begins with, in every version of its header.
pub fn correlation_id(frame: &Bytes) -> Result<i32, DecodeError> {
    Reader::new(frame.clone()).array().map(i32::from_be_bytes)
}

fn frame<H: Message, B: Message>(
    header: &H,
    header_version: i16,
    body: &B,
    version: i16,
) -> Result<Encoded, EncodeError> {
    let mut writer = Writer::new();
    writer.bytes.extend_from_slice(&[0; LENGTH_BYTES]);
    header.encode(&mut writer, header_version)?;
    body.encode(&mut writer, version)?;
    let length = writer.total_length() - LENGTH_BYTES;
    let prefix =
        i32::try_from(length).map_err(|_| writer.error(EncodeProblem::TooLong(length)).within(B::NAME))?;
    writer.bytes[..LENGTH_BYTES].copy_from_slice(&prefix.to_be_bytes());
    Ok(writer.finish())
}

/// The length before every frame, which does not count itself.
pub const LENGTH_BYTES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::{ApiVersionsRequest, MetadataRequest, MetadataResponse};

    fn parsed(frame: Encoded) -> Result<RequestFrame, FrameError> {
        RequestFrame::parse(frame.bytes.slice(LENGTH_BYTES..))
    }

    #[test]
    fn a_request_without_a_client_id_still_has_its_tag_section() {
        let sent = encode_request(12, 7, None, &MetadataRequest::default()).expect("it encodes");
        assert_eq!(sent.bytes[4..15], [0, 3, 0, 12, 0, 0, 0, 7, 0xff, 0xff, 0]);
        let mut frame = parsed(sent).expect("it parses");
        assert_eq!((frame.key, frame.version, frame.header.correlation_id), (ApiKey::Metadata, 12, 7));
        assert_eq!(frame.decode::<MetadataRequest>(), Ok(MetadataRequest::default()));
        assert_eq!(frame.body.remaining(), 0);
    }

    #[test]
    fn an_unknown_version_is_told_apart_before_anything_is_decoded() {
        let frame = Bytes::from_static(&[0, 18, 0, 99, 0, 0, 0, 5]);
        let error = RequestFrame::parse(frame).expect_err("no such version");
        let expected =
            FrameError::UnsupportedVersion { key: ApiKey::ApiVersions, version: 99, correlation_id: 5 };
        assert_eq!(error, expected);
    }

    #[test]
    fn an_unknown_key_and_a_short_frame_are_refused() {
        let unknown = RequestFrame::parse(Bytes::from_static(&[0x7f, 0, 0, 0, 0, 0, 0, 1]));
        assert_eq!(unknown.expect_err("no such key"), FrameError::UnknownApi(0x7f00));
        let short = RequestFrame::parse(Bytes::from_static(&[0, 3, 0]));
        assert!(matches!(short, Err(FrameError::Malformed(_))));
    }

    #[test]
    fn the_answer_of_api_versions_has_a_header_without_tags() {
        let body = crate::messages::ApiVersionsResponse::default();
        let sent = encode_response(ApiKey::ApiVersions, 3, 9, &body).expect("it encodes");
        assert_eq!(sent.bytes[..8], [0, 0, 0, 12, 0, 0, 0, 9]);
        let frame = sent.bytes.slice(LENGTH_BYTES..);
        let (header, answer) = decode_response::<ApiVersionsRequest>(frame, 3).expect("it decodes");
        assert_eq!((header.correlation_id, answer), (9, body));
    }

    #[test]
    fn a_response_says_its_correlation_id_before_it_is_decoded() {
        let sent =
            encode_response(ApiKey::Metadata, 12, -3, &MetadataResponse::default()).expect("it encodes");
        assert_eq!(correlation_id(&sent.bytes.slice(LENGTH_BYTES..)), Ok(-3));
    }
}
