package payload

import (
	"errors"
	"fmt"

	"github.com/smallstep/pkcs7"

	"github.com/syncpayloads/syncpayloads/internal/cms"
)

// signedContent returns what a CMS signed message (RFC 5652) carries. Whether its signer is trusted
// is the device's question; a file that was changed after it was signed is refused here, because
// every device would refuse it.
func signedContent(b []byte) ([]byte, error) {
	message, err := cms.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("its signature cannot be read: %w", err)
	}
	if len(message.Signers) == 0 {
		return nil,
			errors.New("it is encrypted, or signed by nobody: upload the signed or the plain profile")
	}
	if len(message.Content) == 0 {
		return nil, errors.New("its signature is detached: the signed file has no content")
	}
	var mismatch *pkcs7.MessageDigestMismatchError
	if errors.As(message.Verify(), &mismatch) {
		return nil, errors.New("it was changed after it was signed: sign it again")
	}
	return message.Content, nil
}
