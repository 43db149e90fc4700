package test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	google "github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

// An admin sets Android up in a real browser, makes a token, and looks at a phone on which
// something is in error. Each page is as good for everybody as the others are.
func TestAndroidPages(t *testing.T) {
	t.Parallel()
	s := newMixedSite(t, false)
	b := s.browse()
	b.open("/console/sign-in")
	b.signIn()
	b.open("/console/android")
	b.heads("Android")
	b.check()
	b.picture("android-begin", 1280, "light")

	key := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(key, s.google.KeyFile(t), 0o600); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#key-file"), []string{key}))
	b.click("form[action='/console/android/service-account'] button")
	b.reads("[role=status]", "The service account is set. Google knows it.")
	b.check()
	b.click("form[action='/console/android/signup'] .primary")
	b.reads("a.button.primary", "Open Google's page")
	link := see[string](b, `() => document.querySelector("a.button.primary").href`)
	b.check()
	back := s.google.FollowSignup(t, link)
	b.open(back.RequestURI())
	b.heads("Finish the sign-up")
	b.check()
	b.picture("android-signup", 1280, "light")
	b.click("form[action='/console/android/signup/finish'] .primary")
	b.reads("[role=status]", "All is set up: Android devices can enroll.")
	b.check()

	b.click("form[action='/console/android/tokens'] .primary")
	b.heads("The enrollment token is made")
	b.check()
	b.picture("android-token", 1280, "light")
	b.open("/console/android")
	for _, width := range []int64{380, 1280} {
		b.picture("android", width, "light")
	}
	b.picture("android", 1280, "dark")
	b.check()
	revoke := see[string](b, `() => document.querySelector("td.act a").getAttribute("href")`)
	b.open(revoke)
	b.heads("Revoke the enrollment token?")
	b.check()
	b.open("/console/enrollment")
	b.check()
	b.open("/console/health")
	b.check()

	_, _, app := s.androidPolicies()
	pixel := s.join(amapi.FullyManaged, "PIXEL1", google.DeviceOptions{Model: "Pixel 9"})
	s.eventually("the phone has everything", func() bool { return s.installed(pixel) })
	s.act(pixel, app)
	pixel.Refuse(google.Refusal{Package: app.Identifier, InstallReason: "NOT_FOUND"})
	if r := s.act(pixel); r.of(app) != "restore/error" {
		t.Errorf("the restoration of what is not in the store ended as %+v", r)
	}
	b.open("/console/devices/" + pixel.id)
	b.heads("Pixel 9 PIXEL1")
	b.reads(".explanation summary", "Code 2003: what it means")
	b.check()
	b.picture("android-device", 1280, "light")
}
