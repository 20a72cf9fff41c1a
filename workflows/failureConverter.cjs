/**
 * Messages and stack traces of failures are payloads, so that they are sealed. Plain JavaScript, since Temporal's library loads this
 * file with `require`, and bundles it with the workflows.
 */
const { DefaultFailureConverter } = require('@temporalio/common')

/** What refuses a stranger is told to them: it is not private, and without the key they could not read it. */
const notSealed = 'NotSealed'
const plain = new DefaultFailureConverter()

const unproven = 'a failure whose message was not sealed with the key of this fleet'

class SealedFailureConverter extends DefaultFailureConverter {
  constructor() {
    super({ encodeCommonAttributes: true })
  }

  errorToFailure(error, payloadConverter, context) {
    if (error?.type !== notSealed) return super.errorToFailure(error, payloadConverter, context)
    return { ...plain.errorToFailure(error, payloadConverter, context), stackTrace: '' }
  }

  failureToError(failure, payloadConverter, context) {
    return super.failureToError(
      isProven(failure, payloadConverter, context)
        ? failure
        : { ...failure, message: unproven, stackTrace: '' },
      payloadConverter,
      context,
    )
  }
}

/** Anyone who reaches the engine can fail an activity. Its words must not get into notices and prompts. The engine's own are known. */
function isProven({ applicationFailureInfo, canceledFailureInfo, encodedAttributes }, converter, context) {
  if (!applicationFailureInfo && !canceledFailureInfo) return true
  if (!encodedAttributes) return Boolean(canceledFailureInfo)
  const attributes = converter.fromPayload(encodedAttributes, context)
  return typeof attributes === 'object' && attributes !== null && typeof attributes.message === 'string'
}

exports.failureConverter = new SealedFailureConverter()
