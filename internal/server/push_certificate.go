package server

import (
	"context"
	"errors"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/channel/apple"
	"github.com/syncpayloads/syncpayloads/internal/graph"
)

// pushCertificates shows the channel's push certificate to the Graph surface: the two do not know each other.
type pushCertificates struct{ channel *apple.Channel }

func (p pushCertificates) PushCertificate(ctx context.Context) (*graph.PushCertificate, error) {
	c, err := p.channel.PushCertificate(ctx)
	if errors.Is(err, apple.ErrNoPushCertificate) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &graph.PushCertificate{Topic: c.Topic, SerialNumber: c.SerialNumber, PEM: string(c.PEM), Expires: c.Expires}, nil
}

func (p pushCertificates) SetPushCertificate(ctx context.Context, certificatePEM, keyPEM []byte) error {
	_, err := p.channel.SetPushCertificate(ctx, certificatePEM, keyPEM)
	var refused *apple.PushCertificateRefused
	if errors.As(err, &refused) {
		return &catalog.Invalid{Property: "certificate", Reason: refused.Reason.Error()}
	}
	return err
}
