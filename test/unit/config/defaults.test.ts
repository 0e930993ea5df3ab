import { describe, expect, test } from 'vitest';
import { FULL } from './full.ts';
import { load, loadValue } from './project.ts';

describe('A validated configuration', () => {
  test('has the defaults of the contract', () => {
    const {
      path: _,
      revision: __,
      name: ___,
      layers: ____,
      ...config
    } = load('{ "pools": { "api": { "keys": ["a"] } } }');
    expect(config).toMatchInlineSnapshot(`
      {
        "gate": {
          "degraded": "warn",
          "environment": "warn",
          "product": "warn",
          "shards": "warn",
          "unknown": "warn",
        },
        "leftOut": {},
        "pools": {
          "api": {
            "acquireTimeout": 60000,
            "auth": "bearer",
            "classify": [],
            "ejection": {
              "base": 15000,
              "max": 600000,
            },
            "endpoints": [],
            "failover": "first-request",
            "keys": [
              {
                "enabled": true,
                "fields": {},
                "labels": {},
                "name": "key-1",
                "value": "a",
                "weight": 1,
              },
            ],
            "leaseTtl": 30000,
            "maxFailures": 5,
            "maxRetries": 3,
            "models": [],
            "protocol": "http",
            "retryBudget": 0.2,
            "rotation": "round-robin",
            "routing": "success-rate",
            "scope": "test",
            "timeout": 5000,
            "whenEmpty": "wait",
            "whenUnset": "error",
          },
        },
        "retryTests": "all",
        "skipped": {},
        "store": "local",
        "valueFiles": [],
        "written": {},
      }
    `);
  });

  test('keeps every field that is given, with durations in milliseconds', () => {
    const { path: _, revision: __, layers: ___, ...config } = loadValue(FULL);
    expect(config).toMatchInlineSnapshot(`
      {
        "gate": {
          "degraded": "fail",
          "environment": "fail",
          "product": "fail",
          "shards": "fail",
          "unknown": "fail",
        },
        "leftOut": {},
        "name": "shop",
        "pools": {
          "api": {
            "acquireTimeout": 1000,
            "auth": {
              "header": "x-api-key",
            },
            "classify": [
              {
                "as": "exhausted",
                "body": "insufficient_quota",
                "header": "x-quota: none",
                "status": 429,
              },
            ],
            "ejection": {
              "base": 500,
              "max": 3600000,
            },
            "endpoints": [
              {
                "enabled": true,
                "headers": {},
                "name": "eu.example.test",
                "priority": 0,
                "url": "https://eu.example.test",
                "weight": 1,
              },
              {
                "enabled": false,
                "headers": {},
                "health": "/healthz",
                "maxConcurrent": 8,
                "name": "us",
                "priority": 1,
                "proxy": "http://proxy:3128",
                "rpm": 600,
                "url": "https://us.example.test/v1",
                "weight": 2,
              },
            ],
            "failover": "never",
            "fallback": "api-dr",
            "keys": [
              {
                "enabled": true,
                "fields": {},
                "labels": {},
                "name": "key-1",
                "value": "key-zero",
                "weight": 1,
              },
              {
                "enabled": false,
                "endpoints": [
                  "us",
                ],
                "fields": {
                  "password": "secret",
                  "username": "qa1",
                },
                "labels": {
                  "role": "admin",
                },
                "maxConcurrent": 1,
                "name": "ci-1",
                "quotaGroup": "project-a",
                "rpm": 60,
                "value": "qa1:secret",
                "weight": 3,
              },
            ],
            "leaseTtl": 120000,
            "maxFailures": 2,
            "maxRetries": 0,
            "models": [
              "gemini-2.5-flash",
            ],
            "protocol": "gemini",
            "retryBudget": 1,
            "rotation": "random",
            "routing": "priority",
            "scope": "worker",
            "timeout": 1500,
            "whenEmpty": "fallback",
            "whenUnset": "skip",
          },
          "api-dr": {
            "acquireTimeout": 60000,
            "auth": "none",
            "classify": [],
            "ejection": {
              "base": 15000,
              "max": 600000,
            },
            "endpoints": [],
            "failover": "first-request",
            "keys": [
              {
                "enabled": true,
                "fields": {},
                "labels": {},
                "name": "key-1",
                "value": "other",
                "weight": 1,
              },
            ],
            "leaseTtl": 30000,
            "maxFailures": 5,
            "maxRetries": 3,
            "models": [],
            "protocol": "http",
            "retryBudget": 0.2,
            "rotation": "round-robin",
            "routing": "success-rate",
            "scope": "test",
            "timeout": 5000,
            "whenEmpty": "wait",
            "whenUnset": "error",
          },
        },
        "retryTests": "environment",
        "skipped": {},
        "store": "redis://host:6379/0",
        "valueFiles": [],
        "written": {},
      }
    `);
  });
});
