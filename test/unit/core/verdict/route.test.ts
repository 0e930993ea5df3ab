import { describe, expect, it } from 'vitest';
import { hash53, identityOf, routeNumber, routeOf } from '../../../../src/core/verdict/route.ts';

const route = (path: string): string | null => routeOf({ method: 'GET', path });

describe('the route of a path', () => {
  it.each([
    ['/', '/'],
    ['/orders', '/orders'],
    ['/orders/', '/orders/'],
    ['/v1/chat/completions', '/v1/chat/completions'],
    ['/api/v2/order-items/new_one', '/api/v2/order-items/new_one'],
    ['/orders/42', '/orders/#'],
    ['/orders/-7.5', '/orders/-#.#'],
    ['/orders/order-42', '/orders/order-#'],
    ['/users/user42/avatar', '/users/user#/avatar'],
    ['/orders/550e8400-e29b-41d4-a716-446655440000', '/orders/#'],
    ['/orders/550E8400E29B41D4A716446655440000/items', '/orders/#/items'],
    ['/files/9f86d081884c7d65', '/files/#'],
    ['/files/abcdefabcdefabcdef', '/files/#'],
    ['/assets/app.3f2a9c1b.js', '/assets/app.#.js'],
    ['/payments/pay_8xK2p0QzR1', '/payments/pay_#'],
    ['/u/01ARZ3NDEKTSV4RRFFQ69G5FAV', '/u/#'],
    ['/t/dGhJcYlzQXRoKeEuVg', '/t/#'],
    ['/people/ada@example.test', '/people/#'],
    ['/people/ada%40example.test/cart', '/people/#/cart'],
    ['/days/2026-01-31', '/days/#-#-#'],
    ['/words/decade', '/words/decade'],
  ])('%s is %s', (path, expected) => {
    expect(route(path)).toBe(`GET ${expected}`);
  });

  it('is the same for ids of every form', () => {
    const forms = ['17', '1800', '7c9e6679-7425-40de-944b-e07fc1f90ae7'];
    expect(new Set(forms.map((id) => routeNumber({ method: 'GET', path: `/orders/${id}` }))).size).toBe(1);
  });

  it('differs by method and by the operation behind a shared path, and is null without a path', () => {
    const graphql = (operation?: string): number | null =>
      routeNumber({ method: 'POST', path: '/graphql', operation });
    const all = [
      graphql('Orders'),
      graphql('Pay'),
      graphql(),
      routeNumber({ method: 'GET', path: '/graphql' }),
    ];
    expect(new Set(all).size).toBe(4);
    expect(routeNumber({ method: '', path: '' })).toBeNull();
  });
});

describe('the identity of a call', () => {
  it('is its method, path and payload, ids included', () => {
    const get = (path: string, payload: number): number | null =>
      identityOf({ method: 'GET', path }, payload);
    expect(get('/orders/1', 0)).toBe(get('/orders/1', 0));
    expect(new Set([get('/orders/1', 0), get('/orders/2', 0), get('/orders/1', 5)]).size).toBe(3);
    expect(get('/orders/1', -1)).toBeNull();
    expect(get('', 0)).toBeNull();
  });

  it('is a whole number that JSON keeps, and other for other texts', () => {
    const numbers = Array.from({ length: 20_000 }, (_, index) => hash53(`GET /orders/${index}`));
    expect(numbers.every(Number.isSafeInteger)).toBe(true);
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});
