package catalog

import (
	"errors"
	"fmt"

	"github.com/smallstep/pkcs7"
)

// signedContent returns what a PKCS#7 signed message (RFC 2315) carries. Whether its signer is trusted is the device's
// question; a file that was changed after it was signed is refused here, because every device would refuse it.
func signedContent(b []byte) ([]byte, error) {
	if err := checkBER(b); err != nil {
		return nil, fmt.Errorf("its signature cannot be read: %w", err)
	}
	message, err := pkcs7.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("its signature cannot be read: %w", err)
	}
	if len(message.Signers) == 0 {
		return nil, errors.New("it is encrypted, or signed by nobody: upload the signed or the plain profile")
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

// checkBER walks the tags and lengths of a BER message (X.690) without recursion. pkcs7.Parse recurses into every
// level of nesting and copies its content at each, so a small hostile file could exhaust the stack.
func checkBER(b []byte) error {
	const indefinite = -1
	damaged := errors.New("damaged ASN.1")
	var ends []int // of the open elements
	fresh := false // the innermost element has no content yet
	for i := 0; ; {
		for len(ends) > 0 && ends[len(ends)-1] == i {
			ends = ends[:len(ends)-1]
		}
		if len(ends) == 0 && i > 0 {
			return nil
		}
		if len(ends) > 0 && ends[len(ends)-1] == indefinite && !fresh && i+1 < len(b) && b[i] == 0 && b[i+1] == 0 {
			ends, i = ends[:len(ends)-1], i+2
			continue
		}
		constructed, start, length, ok := readBERHeader(b, i)
		if !ok || len(ends) > 0 && ends[len(ends)-1] != indefinite && start+max(length, 0) > ends[len(ends)-1] {
			return damaged
		}
		fresh = constructed && length == indefinite
		switch {
		case constructed && len(ends) >= maxNesting:
			return fmt.Errorf("ASN.1 nested deeper than %d levels", maxNesting)
		case constructed && length == indefinite:
			ends = append(ends, indefinite)
			i = start
		case constructed:
			ends = append(ends, start+length)
			i = start
		case length == indefinite:
			return damaged
		default:
			i = start + length
		}
	}
}

// readBERHeader reads the tag and length at b[i]; start is where the content begins, length -1 if it is indefinite.
func readBERHeader(b []byte, i int) (constructed bool, start, length int, ok bool) {
	if i >= len(b) {
		return false, 0, 0, false
	}
	constructed = b[i]&0x20 != 0
	long := b[i]&0x1f == 0x1f
	i++
	for ; long && i < len(b) && b[i] >= 0x80; i++ {
	}
	if long {
		i++
	}
	if i >= len(b) {
		return false, 0, 0, false
	}
	first := b[i]
	i++
	switch n := int(first & 0x7f); {
	case first < 0x80:
		length = n
	case n == 0:
		return constructed, i, -1, true
	case n > 4 || i+n > len(b):
		return false, 0, 0, false
	default:
		length = int(bigEndian(b[i:][:n]))
		i += n
	}
	return constructed, i, length, length <= len(b)-i
}
