package cms_test

import (
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/cms"
	"github.com/syncpayloads/syncpayloads/internal/cms/cmstest"
	"github.com/syncpayloads/syncpayloads/internal/cost"
)

// However a message is made, to read it takes memory and time of its length.
func TestBombsAreRefusedAtTheirLength(t *testing.T) {
	for _, size := range []int{64 << 10, 4 << 20} {
		for name, bomb := range cmstest.Forms(size) {
			t.Run(name, func(t *testing.T) {
				defer cost.Bound(t, uint64(len(bomb))+8<<20, time.Second)()
				if _, err := cms.Parse(bomb); err == nil {
					t.Errorf("%d bytes were taken", len(bomb))
				}
			})
		}
	}
	for name, bomb := range cmstest.Signatures(48 << 10) {
		t.Run(name, func(t *testing.T) {
			defer cost.Bound(t, 8<<20, time.Second)()
			m, err := cms.Parse(bomb)
			if err == nil {
				t.Errorf("%d bytes were taken, verified %v", len(bomb), m.Verify())
			}
		})
	}
}

func TestBounds(t *testing.T) {
	for levels, taken := range map[int]bool{32: true, 33: false} {
		if err := cms.Check(cmstest.Nested(levels)); (err == nil) != taken {
			t.Errorf("%d levels: %v", levels, err)
		}
	}
	for signers, taken := range map[int]bool{8: true, 9: false} {
		if _, err := cms.Parse(cmstest.Signed(signers)); (err == nil) != taken {
			t.Errorf("%d signers: %v", signers, err)
		}
	}
}
