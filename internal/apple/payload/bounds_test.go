package payload_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist"
	"github.com/syncpayloads/syncpayloads/internal/cost"
)

// A file of few bytes that stands for many values takes no more memory than a file of that length
// may. Attributes are passed over, as by Apple's reader, and cost nothing.
func TestListsOfManyValues(t *testing.T) {
	// An array of 1.9 million times itself.
	const n = 1_900_000
	wide := raw(0, append(binary.BigEndian.AppendUint32([]byte{0xaf, 0x12}, n),
		make([]byte, 2*n)...))
	xml := func(content string) []byte {
		return []byte("<plist version=\"1.0\"><dict><key>a</key>" + content + "</dict></plist>")
	}
	for name, file := range map[string][]byte{
		"binary":            wide,
		"XML":               xml("<array>" + strings.Repeat("<true/>", 4<<20/7) + "</array>"),
		"attributes":        xml("<true " + strings.Repeat("a=\"\" ", 4<<20/5) + "/>"),
		"hidden attributes": xml("<true " + strings.Repeat("a=\">\" ", 4<<20/6) + "/>"),
	} {
		end := cost.Bound(t, 32<<20, time.Second)
		_, err := propertylist.Decode(file)
		if taken := name == "attributes"; (err == nil) != taken {
			t.Errorf("%s of %d bytes: %v", name, len(file), err)
		}
		end()
	}
}
