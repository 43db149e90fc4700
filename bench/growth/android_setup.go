package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// setUp does what an admin does once, and fills the catalog.
func (s *androidSite) setUp(ctx context.Context) error {
	key, err := s.service.ServiceAccount(s.google.URL, "")
	if err != nil {
		return err
	}
	if _, err := s.channel.SetServiceAccount(ctx, key); err != nil {
		return err
	}
	link, err := s.channel.BeginSignup(ctx, "https://mdm.example/console/android")
	if err != nil {
		return err
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	answer, err := client.Get(link)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	back, err := url.Parse(answer.Header.Get("Location"))
	if err == nil {
		_, err = s.channel.FinishSignup(ctx, back.Query().Get("enterpriseToken"), amapi.Pull)
	}
	if err != nil {
		return err
	}
	return s.fillCatalog(ctx)
}

func (s *androidSite) fillCatalog(ctx context.Context) error {
	made := catalog.New(s.store, catalog.MustForms(payload.Forms()), s.clock.Now, uuid.NewString)
	for i := range assigned {
		in := catalog.Input{ODataType: "androidDeviceOwnerWiFiConfiguration",
			DisplayName: fmt.Sprint("Network ", i), Properties: json.RawMessage(fmt.Sprintf(
				`{"networkName":"n%d","ssid":"n%d","wiFiSecurityType":"open"}`, i, i))}
		if i >= assigned/2 {
			in.ODataType = "androidManagedStoreApp"
			in.Properties = json.RawMessage(fmt.Sprintf(`{"packageId":"com.example.app%d"}`, i))
		}
		s.clock.Advance(time.Millisecond)
		p, err := made.Create(ctx, in)
		if err == nil {
			_, err = made.Assign(ctx, p.ID, []catalog.Assignment{{Kind: catalog.AllDevices}})
		}
		if err != nil {
			return err
		}
		if i == 0 {
			s.wifi = p.ID
		}
	}
	return nil
}
