package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log"
	"os"
	"time"
)

const (
	cookieName = "session"
	sessionTTL = 8 * time.Hour
)

type session struct {
	User    string `json:"user"`
	Expires int64  `json:"expires"`
}

var aead = newAEAD(os.Getenv("SESSION_KEY"))

func newAEAD(text string) cipher.AEAD {
	key, err := base64.URLEncoding.DecodeString(text)
	if err != nil {
		log.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		log.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		log.Fatal(err)
	}
	return gcm
}

// sealed gives a session as the value of a cookie: AES-256-GCM, so encrypted and authenticated.
func sealed(user string) (string, error) {
	plain, err := json.Marshal(session{user, time.Now().Add(sessionTTL).Unix()})
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(aead.Seal(nonce, nonce, plain, nil)), nil
}

// opened gives the user of a cookie's value.
func opened(value string) (string, error) {
	bytes, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return "", err
	}
	if len(bytes) < aead.NonceSize() {
		return "", errors.New("too short")
	}
	plain, err := aead.Open(nil, bytes[:aead.NonceSize()], bytes[aead.NonceSize():], nil)
	if err != nil {
		return "", err
	}
	var found session
	if err := json.Unmarshal(plain, &found); err != nil {
		return "", err
	}
	if found.Expires <= time.Now().Unix() {
		return "", errors.New("expired")
	}
	return found.User, nil
}
