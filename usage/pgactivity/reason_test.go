package pgactivity

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
)

func TestReasonsAreInWordsOfOurOwn(t *testing.T) {
	const theirs = "S3cr"
	named := &x509.Certificate{DNSNames: []string{theirs}}
	tests := []struct {
		err  error
		want string
	}{
		{x509.HostnameError{Certificate: named, Host: "h"}, "for another name"},
		{x509.UnknownAuthorityError{Cert: named}, "an authority that is not trusted"},
		{x509.CertificateInvalidError{Cert: named, Reason: x509.Expired, Detail: theirs}, "has expired"},
		{x509.CertificateInvalidError{Cert: named, Reason: x509.TooManyIntermediates, Detail: theirs}, "is not valid"},
		{&tls.CertificateVerificationError{Err: errors.New(theirs)}, "is not valid"},
		{&net.DNSError{Err: theirs, Name: theirs, IsNotFound: true}, "has no address"},
		{&net.DNSError{Err: theirs, Name: theirs, IsTimeout: true}, "the name server did not answer"},
		{context.DeadlineExceeded, "no answer in time"},
		{syscall.ECONNRESET, "connection reset"},
		{io.ErrUnexpectedEOF, "closed the connection"},
		{errors.New("tls error: server refused TLS connection"), "the server has no TLS"},
		{errors.New(theirs), "is not that of a PostgreSQL server"},
	}
	for _, tt := range tests {
		got := reason(fmt.Errorf("%s: %w", theirs, tt.err))
		if !strings.Contains(got.Error(), tt.want) || leaks(fmt.Sprintf("%v %#v", got, got)) || errors.Unwrap(got) != nil {
			t.Errorf("%v gives %v, want %q", tt.err, got, tt.want)
		}
	}
}
